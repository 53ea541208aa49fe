using System.Text;

namespace PaymentPlatform.Events.Tests;

public sealed class CardDataMaskTests
{
    [Theory]
    [InlineData("\"4111111111111111\"", "\"411111******1111\"")]
    [InlineData("\"a 4111-1111-1111-1111 b\"", "\"a 4111-11**-****-1111 b\"")]
    [InlineData("4111111111111111", "\"411111******1111\"")]
    [InlineData("-4111111111111111.50", "\"-411111******1111.50\"")]
    [InlineData("4.111111111111111E15", "\"4.11111******1111E15\"")]
    [InlineData("4e12", "4e12")]
    [InlineData("\"\\u0034111111111111111\\n\"", "\"\\u003411111******1111\\n\"")]
    [InlineData("\"411111\\u0031\\u0031\\u00311111111 \\u00e9\"", "\"411111******1111 \\u00e9\"")]
    [InlineData("[\"x\", {\"4111111111111111\" : \"5555555555554444\"}]", "[\"x\", {\"411111******1111\" : \"555555******4444\"}]")]
    [InlineData("{ \"cvv\" : \"123\" , \"pin\":1234,\"track1\" :[1,{\"a\":2}] , \"cid\":\"\", \"b\":\"c\" }", "{ \"cvv\" : null , \"pin\":null,\"track1\" :null , \"cid\":\"\", \"b\":\"c\" }")]
    [InlineData("{\"cvv\":{\"pan\":\"4111111111111111\"}}", "{\"cvv\":null}")]
    public void Parse_CardData_IsMaskedAndTheRestIsByteForByteTheSame(string value, string masked)
    {
        var json = Event.Json(("order_id", "\"5105105105105100\""), ("metadata", $" {{\"x\" :  {value} }} "));

        var result = Event.Parse(json, CardDataMode.Mask);

        Assert.True(result.IsValid);
        Assert.Equal(value != masked, result.IsMasked);
        Assert.Equal(json.Replace(value, masked, StringComparison.Ordinal), result.Payload.Text());
        Assert.Equal($"{{\"x\" :  {masked} }}", result.Transaction.Metadata.ToString());
    }

    [Fact]
    public void Parse_NothingToMask_GivesThePayloadItself()
    {
        var payload = Encoding.UTF8.GetBytes(Event.Json(("transaction_id", "\"4111111111111111\"")));

        var result = Event.Parse(payload, CardDataMode.Mask);

        Assert.True(result.IsValid);
        Assert.False(result.IsMasked);
        Assert.True(payload.AsSpan() == result.Payload.Span);
        Assert.Equal("4111111111111111", result.Transaction.TransactionId.ToString());
    }

    [Fact]
    public void Parse_TextField_PointsIntoTheMaskedCopy()
    {
        var result = Event.Parse(Event.Json(("merchant_name", "\"Shop 4111111111111111\"")), CardDataMode.Mask);

        Assert.Equal("Shop 411111******1111", result.Transaction.MerchantName.ToString());
        Assert.True(result.Payload.Span.Overlaps(result.Transaction.MerchantName.Span));
    }

    [Fact]
    public void Parse_AmountThatIsACardNumber_IsMaskedAndSoNoAmount()
    {
        var result = Event.Parse(Event.Json(("amount", "4222222222222")), CardDataMode.Mask);

        Assert.Equal([("amount", Constraints.Type, "422222***2222")], result.Errors.Select(error => (error.Field, error.Constraint, error.Actual)));
        Assert.Null(result.Transaction.AmountScaled);
    }

    [Fact]
    public void Parse_MaskedCopy_StaysAfterTheNextEvent()
    {
        var parser = new TransactionParser(new TransactionParserOptions { CardData = CardDataMode.Mask });
        var first = parser.Parse(Encoding.UTF8.GetBytes(Event.Json(("note", "\"4111111111111111\""))), Event.NowMicros).Payload;
        var text = first.Text();

        parser.Parse(Encoding.UTF8.GetBytes(Event.Json(("note", "\"5555555555554444\""))), Event.NowMicros);

        Assert.Equal(text, first.Text());
    }

    [Fact]
    public void Parse_ByteOrderMark_StaysInTheMaskedCopy()
    {
        var result = Event.Parse("\uFEFF" + Event.Json(("note", "\"4111111111111111\"")), CardDataMode.Mask);

        Assert.True(result.IsValid);
        Assert.Equal("\uFEFF" + Event.Json(("note", "\"411111******1111\"")), result.Payload.Text());
    }

    [Theory]
    [InlineData("not json: 4111111111111111 cvv=123", "not json: 411111******1111 cvv=***")]
    [InlineData("{\"pan\":\"4111 1111 1111 1111\",\"cvv\":\"123\",\"x\":", "{\"pan\":\"4111 11** **** 1111\",\"cvv\":\"***\",\"x\":")]
    [InlineData("{\"cvv\" : 123, \"pin\":[1,\"2\"], \"a\":7", "{\"cvv\" : ***, \"pin\":[*,\"*\"], \"a\":7")]
    [InlineData("{'CVC2':'987'}", "{'CVC2':'***'}")]
    [InlineData("<cvv>123</cvv><pan>4111111111111111</pan>", "<cvv>***</cvv><pan>411111******1111</pan>")]
    [InlineData("pan=4111111111111111&cvv2=123&amount=1", "pan=411111******1111&cvv2=***&amount=1")]
    [InlineData("{\"pan\":\"\\u0034111111111111111", "{\"pan\":\"\\u003411111******1111")]
    [InlineData("{\"cvv_provided\":true,\"cvv\":null,\"card_last4\":\"1111\",", "{\"cvv_provided\":true,\"cvv\":null,\"card_last4\":\"1111\",")]
    [InlineData("{\"payload\":\"{\\\"cvv\\\":\\\"123\\\"}", "{\"payload\":\"{\\\"cvv\\\":\\\"***\\\"}")]
    public void Parse_NotJson_IsMaskedAsText(string text, string masked)
    {
        var result = Event.Parse(text, CardDataMode.Mask);

        Assert.Equal(Constraints.Json, Assert.Single(result.Errors).Constraint);
        Assert.Equal(masked, result.Payload.Text());
        Assert.Equal(text != masked, result.IsMasked);
    }

    [Fact]
    public void Parse_BytesThatAreNoText_AreMaskedToo()
    {
        byte[] payload = [0xFF, 0x00, .. "4111111111111111"u8, 0xFE, 0x5C];

        var result = Event.Parse(payload, CardDataMode.Mask);

        Assert.Equal([0xFF, 0x00, .. "411111******1111"u8, 0xFE, 0x5C], result.Payload.ToArray());
    }

    [Fact]
    public void Parse_TooDeepWithCardData_IsMaskedAndStillTooDeep()
    {
        var json = Event.Json(("note", "\"4111111111111111\""), ("x", new string('[', 50) + "\"5555555555554444\"" + new string(']', 50)));

        var result = Event.Parse(json, CardDataMode.Mask);

        Assert.Equal(Constraints.Depth, Assert.Single(result.Errors).Constraint);
        Assert.Equal(json.Replace("4111111111111111", "411111******1111", StringComparison.Ordinal).Replace("5555555555554444", "555555******4444", StringComparison.Ordinal), result.Payload.Text());
    }

    [Fact]
    public void Parse_MaskingWouldRepairTheJson_StaysBroken()
    {
        var result = Event.Parse(Event.Json(("cvv", "\"\\x\"")), CardDataMode.Mask);

        Assert.Equal(Constraints.Json, result.Errors[0].Constraint);
    }

    [Fact]
    public void Parse_MoreCardDataThanErrorsAreListed_IsAllMasked()
    {
        var json = Event.Json(("notes", $"[{string.Join(",", Enumerable.Repeat("\"4111111111111111\"", 1000))}]"));

        Assert.Equal(json.Replace("4111111111111111", "411111******1111", StringComparison.Ordinal), Event.Parse(json, CardDataMode.Mask).Payload.Text());
    }

    [Fact]
    public void Parse_InvalidUtf8BesideCardData_HasItsErrorAndIsMasked()
    {
        byte[] payload = [.. Encoding.UTF8.GetBytes(Event.Json(("note", "\"4111111111111111\""))[..^2]), 0xE9, (byte)'"', (byte)'}'];

        var result = Event.Parse(payload, CardDataMode.Mask);

        Assert.Equal([("note", Constraints.Encoding)], result.Errors.Select(error => (error.Field, error.Constraint)));
        Assert.Equal(TestCards.Masked("4111111111111111"), Encoding.Latin1.GetString(result.Payload.Span)[^19..^3]);
    }
}
