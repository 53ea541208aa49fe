namespace PaymentPlatform.Events.Tests;

public sealed class CardDataRejectTests
{
    [Fact]
    public void Parse_TenThousandRandomSixteenDigitTransactionIds_AreNeverRefused()
    {
        var random = new Random(20251208);
        var luhn = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var id = (i % 2 == 0 ? "4" : "") + random.NextInt64(1_000_000_000_000_000, 9_999_999_999_999_999);
            id = id[..16];
            luhn += TestCards.PassesLuhn(id) ? 1 : 0;
            Assert.Empty(Event.ParseWith(("transaction_id", $"\"{id}\"")).Errors);
        }

        Assert.InRange(luhn, 800, 1200);
    }

    [Theory]
    [InlineData("transaction_id")]
    [InlineData("customer_id")]
    [InlineData("merchant_id")]
    [InlineData("correlation_id")]
    [InlineData("message_id")]
    [InlineData("order_id")]
    [InlineData("order\\u005fid")]
    public void Parse_NumberInAnIdentifier_IsLeft(string field) =>
        Assert.Empty(Event.ParseWith((field, "\"4111111111111111\"")).Errors);

    [Theory]
    [InlineData("note", "\"4111111111111111\"", "note")]
    [InlineData("note", "\"paid with 4111 1111 1111 1111.\"", "note")]
    [InlineData("note", "4111111111111111", "note")]
    [InlineData("note", "4111111111111111.00", "note")]
    [InlineData("note", "-4111111111111111", "note")]
    [InlineData("note", "4.111111111111111E15", "note")]
    [InlineData("note", "41111111111111110e-1", "note")]
    [InlineData("note", "0.4012888888881881e16", "note")]
    [InlineData("note", "\"\\u0034111111111111111\"", "note")]
    [InlineData("note", "\"4111\\u002d1111\\u00201111-1111\"", "note")]
    [InlineData("note", "\"caf\\u00e94111111111111111\"", "note")]
    [InlineData("merchant_name", "\"4111111111111111\"", "merchant_name")]
    [InlineData("metadata", "{\"a\":{\"b\":[0,\"x\",{\"c\":\"5555-5555-5555-4444\"}]}}", "metadata.a.b[2].c")]
    [InlineData("metadata", "{\"customer_id\":\"4111111111111111\"}", "metadata.customer_id")]
    [InlineData("order_id", "[\"4111111111111111\"]", "order_id[0]")]
    [InlineData("compliance_violations", "[\"4111111111111111\"]", "compliance_violations[0]")]
    [InlineData("4111111111111111", "1", "411111******1111")]
    [InlineData("\\u0034111111111111111", "1", "\\u003411111******1111")]
    [InlineData("x", "{\"card 4111111111111111\":{\"y\":\"4012888888881881\"}}", "x.card 411111******1111")]
    public void Parse_CardNumberAnywhereElse_IsAnErrorOfItsField(string field, string json, string path)
    {
        var result = Event.ParseWith((field, json));

        Assert.Equal((path, Constraints.CardData), (result.Errors[0].Field, result.Errors[0].Constraint));
        Assert.Equal(json.Contains("4012888888881881\"", StringComparison.Ordinal) ? 2 : 1, result.Errors.Count);
        AssertNoCardData(result);
    }

    [Theory]
    [InlineData("cvv")]
    [InlineData("CVV")]
    [InlineData("cvv2")]
    [InlineData("cvc")]
    [InlineData("CVC-2")]
    [InlineData("cid")]
    [InlineData("csc")]
    [InlineData("card_verification_value")]
    [InlineData("cardVerificationValue")]
    [InlineData("card_security_code")]
    [InlineData("security-code")]
    [InlineData("track1")]
    [InlineData("track_2")]
    [InlineData("track_data")]
    [InlineData("Track2Data")]
    [InlineData("magstripe")]
    [InlineData("pin")]
    [InlineData("PIN_BLOCK")]
    [InlineData("_pin")]
    [InlineData("c\\u0076v")]
    public void Parse_SecretField_IsAnErrorAtAnyDepth(string name)
    {
        foreach (var value in new[] { "\"123\"", "123", "[1,2,3]", "{\"value\":\"123\"}" })
        {
            Assert.Equal(Constraints.CardData, Event.SingleError((name, value)).Constraint);
            var error = Event.SingleError(("metadata", $"{{\"cards\":[{{\"{name}\":{value}}}]}}"));
            Assert.Equal((Constraints.CardData, $"metadata.cards[0].{name.Replace("\\u0076", "v", StringComparison.Ordinal)}"), (error.Constraint, error.Field.Replace("\\u0076", "v", StringComparison.Ordinal)));
            Assert.Null(error.Actual);
        }

        foreach (var value in new[] { "null", "\"\"", "[]", "{}", "true", "false" })
            Assert.Empty(Event.ParseWith((name, value), ("metadata", $"{{\"{name}\":{value}}}")).Errors);
    }

    [Theory]
    [InlineData("cvv_provided", "true")]
    [InlineData("cvv_provided", "\"yes\"")]
    [InlineData("card_last4", "\"3907\"")]
    [InlineData("card_brand", "\"Visa\"")]
    [InlineData("pin_code", "\"560001\"")]
    [InlineData("pinned", "1")]
    [InlineData("tracking_number", "\"X1\"")]
    [InlineData("shipping", "1")]
    public void Parse_HarmlessNames_AreValid(string name, string json) =>
        Assert.Empty(Event.ParseWith((name, json), ("metadata", $"{{\"{name}\":{json}}}")).Errors);

    [Fact]
    public void Parse_SeveralFieldsWithCardData_HasOneErrorEach()
    {
        var result = Event.ParseWith(("note", "\"4111111111111111 5555555555554444\""), ("metadata", "{\"cvv\":\"123\",\"pan\":\"4111111111111111\"}"));

        Assert.Equal(["note", "metadata.cvv", "metadata.pan"], result.Errors.Select(error => error.Field));
        AssertNoCardData(result);
    }

    [Theory]
    [InlineData("amount", "4111111111111111")]
    [InlineData("amount", "\"4222222222222\"")]
    [InlineData("amount", "4222222222222.00")]
    [InlineData("amount", "4.111111111111111E15")]
    [InlineData("currency", "\"4111111111111111\"")]
    [InlineData("currency", "\"................................................................4111111111111111\"")]
    [InlineData("payment_status", "\"x 4111-1111-1111-1111\"")]
    [InlineData("payment_method", "\"\\u0034111111111111111\"")]
    [InlineData("transaction_timestamp", "\"4111111111111111\"")]
    [InlineData("metadata", "{\"pan\":4111111111111111}")]
    public void Parse_CardNumberInAKnownField_IsInNoPartOfTheResult(string field, string json)
    {
        var result = Event.ParseWith((field, json));

        Assert.Contains(result.Errors, error => error.Field.StartsWith(field, StringComparison.Ordinal) && error.Constraint == Constraints.CardData);
        AssertNoCardData(result);
    }

    [Fact]
    public void Parse_BrokenEventWithCardData_IsInNoPartOfTheResult()
    {
        var result = Event.Parse("{\"merchant_name\":\"4111111111111111\",\"metadata\":{\"cvv\":\"123\"},");

        Assert.Equal(Constraints.Json, Assert.Single(result.Errors).Constraint);
        AssertNoCardData(result);
    }

    [Fact]
    public void Parse_CardDataInAnArray_IsReportedBesidesTheObjectError() =>
        Assert.Equal([Constraints.Object, Constraints.CardData], Event.Parse("[{\"cvv\":\"123\"}]").Errors.Select(error => error.Constraint));

    [Fact]
    public void Parse_CardDataAllowed_IsNotLookedFor()
    {
        var result = Event.Parse(Event.Json(("note", "\"4111111111111111\""), ("cvv", "\"123\"")), CardDataMode.Allow);

        Assert.True(result.IsValid);
        Assert.False(result.IsMasked);
    }

    private static void AssertNoCardData(ParseResult result)
    {
        var transaction = result.Transaction;
        var texts = typeof(ParsedTransaction).GetProperties().Select(property => property.GetValue(transaction)?.ToString())
            .Concat(result.Errors.SelectMany(error => new[] { error.Field, error.Actual, error.Message, error.Expected }));
        foreach (var text in texts.OfType<string>())
        {
            var digits = string.Concat(text.Where(char.IsAsciiDigit));
            Assert.DoesNotContain("411111111111", digits, StringComparison.Ordinal);
            Assert.DoesNotContain("422222222222", digits, StringComparison.Ordinal);
            Assert.DoesNotContain("123\"", text, StringComparison.Ordinal);
        }
    }
}
