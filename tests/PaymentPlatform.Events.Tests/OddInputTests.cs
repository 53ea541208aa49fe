using System.Text;

namespace PaymentPlatform.Events.Tests;

/// <summary>One test for each line of the table in the project's README.</summary>
public sealed class OddInputTests
{
    [Theory]
    [InlineData("")]
    [InlineData(" \r\n\t")]
    [InlineData("{")]
    [InlineData("{\"amount\":1")]
    [InlineData("{\"amount\":1,}")]
    [InlineData("{'amount':1}")]
    [InlineData("{\"amount\":01}")]
    [InlineData("{\"amount\":NaN}")]
    [InlineData("{} {}")]
    [InlineData("{}x")]
    [InlineData("[1,")]
    [InlineData("nul")]
    [InlineData("{\"a\":\"\u0001\"}")]
    [InlineData("{\"a\":\"\\x41\"}")]
    [InlineData("{\"a\":\"\\u12\"}")]
    [InlineData("{} // comment")]
    [InlineData("not json at all")]
    public void Parse_NotJson_IsOneError(string text)
    {
        var result = Event.Parse(text);

        var error = Assert.Single(result.Errors);
        Assert.Equal(("", Constraints.Json), (error.Field, error.Constraint));
        Assert.Equal(text, result.Payload.Text());
    }

    [Fact]
    public void Parse_BrokenInTheMiddle_KeepsWhatWasRead()
    {
        var result = Event.Parse("{\"transaction_id\":\"tx-9\",\"customer_id\":\"C\",\"amount\":-1,\"currency\":");

        Assert.Equal(Constraints.Json, Assert.Single(result.Errors).Constraint);
        Assert.Equal("tx-9", result.Transaction.TransactionId.ToString());
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[{\"amount\":1}]")]
    [InlineData("null")]
    [InlineData("17")]
    [InlineData("\"text\"")]
    [InlineData(" true ")]
    public void Parse_NotAnObject_IsOneError(string text) => Assert.Equal(Constraints.Object, Assert.Single(Event.Parse(text).Errors).Constraint);

    [Fact]
    public void Parse_ByteOrderMark_IsSkippedAndKept()
    {
        var result = Event.Parse("\uFEFF" + Event.Json(("customer_id", "\"C1\"")));

        Assert.True(result.IsValid);
        Assert.Equal("C1", result.Transaction.CustomerId.ToString());
        Assert.Equal([0xEF, 0xBB, 0xBF], result.Payload.Span[..3].ToArray());
        Assert.Equal(Constraints.Json, Assert.Single(Event.Parse("\uFEFF").Errors).Constraint);
        Assert.Equal(Constraints.Json, Assert.Single(Event.Parse("\uFEFF\uFEFF{}").Errors).Constraint);
        Assert.Equal(Constraints.Json, Assert.Single(Event.Parse(Encoding.Unicode.GetBytes(Event.Json())).Errors).Constraint);
    }

    [Theory]
    [InlineData(31, true)]
    [InlineData(32, false)]
    [InlineData(100_000, false)]
    public void Parse_NestedArrays_AreValidUpToTheMaximumDepth(int levels, bool valid)
    {
        var json = Event.Json(("metadata2", new string('[', levels) + new string(']', levels)));

        Assert.Equal(valid ? [] : [Constraints.Depth], Event.Parse(json).Errors.Select(error => error.Constraint));
        Assert.Equal(valid ? [Constraints.Object] : [Constraints.Depth], Event.Parse($"[{json[(json.IndexOf("metadata2", StringComparison.Ordinal) + 11)..^1]}]").Errors.Select(error => error.Constraint));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(1000)]
    public void Parse_OtherMaximumDepths_Hold(int depth)
    {
        var parser = new TransactionParser(new TransactionParserOptions { MaxDepth = depth });
        byte[] Nested(int levels) => Encoding.UTF8.GetBytes(Event.Json(("metadata", levels == 0 ? "null" : string.Concat(Enumerable.Repeat("{\"a\":", levels)) + "1" + new string('}', levels))));

        Assert.True(parser.Parse(Nested(depth - 1), Event.NowMicros).IsValid);
        Assert.Equal(Constraints.Depth, Assert.Single(parser.Parse(Nested(depth), Event.NowMicros).Errors).Constraint);
    }

    [Fact]
    public void Constructor_ImpossibleOptions_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new TransactionParser(new TransactionParserOptions { MaxDepth = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TransactionParser(new TransactionParserOptions { AllowedClockSkew = TimeSpan.FromSeconds(-1) }));
    }

    public static TheoryData<string, byte[]> InvalidUtf8 => new()
    {
        { "Latin-1", [0xE9] },
        { "overlong", [0xC0, 0xAF] },
        { "encoded surrogate", [0xED, 0xA0, 0x80] },
        { "cut short", [0xE2, 0x82] },
        { "beyond U+10FFFF", [0xF4, 0x90, 0x80, 0x80] },
    };

    [Theory]
    [MemberData(nameof(InvalidUtf8))]
    public void Parse_InvalidUtf8_IsAnErrorOfItsFieldWithoutValue(string _, byte[] bytes)
    {
        var known = Event.Parse(Splice(Event.Json(("merchant_name", "\"Caf#\"")), bytes));
        Assert.Equal([("merchant_name", Constraints.Encoding)], known.Errors.Select(error => (error.Field, error.Constraint)));
        Assert.True(known.Transaction.MerchantName.IsNull);

        var required = Event.Parse(Splice(Event.Json(("transaction_id", "\"#\"")), bytes));
        Assert.Equal([("transaction_id", Constraints.Encoding)], required.Errors.Select(error => (error.Field, error.Constraint)));

        var nested = Event.Parse(Splice(Event.Json(("metadata", "{\"a\":[1,\"x#\"]}")), bytes));
        Assert.Equal([("metadata.a[1]", Constraints.Encoding)], nested.Errors.Select(error => (error.Field, error.Constraint)));
        Assert.True(nested.Transaction.Metadata.IsNull);

        var name = Event.Parse(Splice(Event.Json(("x#y", "1")), bytes));
        Assert.Equal(Constraints.Encoding, Assert.Single(name.Errors).Constraint);
    }

    [Theory]
    [InlineData("\\ud800")]
    [InlineData("\\udc00")]
    [InlineData("\\ud800x")]
    [InlineData("\\ud800\\ud800")]
    [InlineData("\\udc00\\ud800")]
    [InlineData("\\ud83d\\ude00\\udc00")]
    [InlineData("\\uD800\\\\uDC00")]
    [InlineData("\\u0000")]
    [InlineData("abc\\u0000def")]
    public void Parse_LoneSurrogateOrNul_IsAnErrorOfItsField(string escapes)
    {
        var known = Event.ParseWith(("customer_id", $"\"{escapes}\""));
        Assert.Equal([("customer_id", Constraints.Encoding)], known.Errors.Select(error => (error.Field, error.Constraint)));
        Assert.True(known.Transaction.CustomerId.IsNull);

        Assert.Equal("metadata.a", Event.SingleError(("metadata", $"{{\"a\":\"{escapes}\"}}")).Field);
        Assert.Equal("unknown[0]", Event.SingleError(("unknown", $"[\"{escapes}\"]")).Field);
        Assert.Equal(Constraints.Encoding, Event.SingleError(($"x{escapes}", "1")).Constraint);
        Assert.Equal(Constraints.Encoding, Event.SingleError(("amount", $"\"{escapes}\"")).Constraint);
    }

    [Fact]
    public void Parse_MetadataAfterUnreadableText_StillHasItsValue()
    {
        var result = Event.ParseWith(("customer_id", "\"\\ud800\""), ("metadata", "{\"a\":1}"));

        Assert.Equal("{\"a\":1}", result.Transaction.Metadata.ToString());
        Assert.Single(result.Errors);
    }

    [Theory]
    [InlineData("\\ud83d\\ude00")]
    [InlineData("\\\\ud800")]
    [InlineData("\\u00e9\\n\\t\\\\\\\"\\/")]
    public void Parse_GoodEscapes_AreValid(string escapes) => Assert.True(Event.ParseWith(("customer_id", $"\"{escapes}\""), ("note", $"\"{escapes}\"")).IsValid);

    [Fact]
    public void Parse_MillionBadStrings_GivesBoundedErrors()
    {
        var result = Event.ParseWith(("bad", $"[{string.Join(",", Enumerable.Repeat("\"\\ud800\",\"4111111111111111\"", 100_000))}]"));

        Assert.InRange(result.Errors.Count, 2, 64);
    }

    [Fact]
    public void Parse_LongValues_AreQuotedShortened()
    {
        var error = Event.SingleError(("currency", $"\"{string.Concat(Enumerable.Repeat("ü", 500))}\""));

        Assert.Equal(string.Concat(Enumerable.Repeat("ü", 32)) + "…", error.Actual);
    }

    private static byte[] Splice(string json, byte[] bytes)
    {
        var at = json.IndexOf('#', StringComparison.Ordinal);
        return [.. Encoding.UTF8.GetBytes(json[..at]), .. bytes, .. Encoding.UTF8.GetBytes(json[(at + 1)..])];
    }
}
