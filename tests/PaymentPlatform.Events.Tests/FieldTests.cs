using System.Text;

namespace PaymentPlatform.Events.Tests;

public sealed class FieldTests
{
    [Fact]
    public void Parse_AllFields_AreRead()
    {
        const string Metadata = """{ "ip_address" : "10.0.0.1", "risk_score": 0.10 }""";
        var result = Event.ParseWith(
            ("customer_id", "\"C1\""), ("customer_email", "\"a@b.example\""), ("customer_country", "\"DE\""), ("merchant_id", "\"M1\""), ("merchant_name", "\"Caf\\u00e9\""),
            ("merchant_category", "\"food\""), ("transaction_type", "\"payment\""), ("channel", "\"web\""), ("device_type", "\"phone\""), ("correlation_id", "\"K1\""),
            ("metadata", Metadata), ("compliance_violations", "[ \"AML\" ]"), ("violation_severity", "\"low\""), ("something_else", "{\"a\":[1,2]}"));

        Assert.True(result.IsValid);
        var transaction = result.Transaction;
        Assert.Equal("tx-1", transaction.TransactionId.ToString());
        Assert.Equal(Event.NowMicros, transaction.TransactionTimestampMicros);
        Assert.Equal(125_000, transaction.AmountScaled);
        Assert.Equal(
            ["EUR", "credit_card", "completed", "C1", "a@b.example", "DE", "M1", "Café", "food", "payment", "web", "phone", "K1", Metadata, "[ \"AML\" ]", "low"],
            new[]
            {
                transaction.Currency, transaction.PaymentMethod, transaction.PaymentStatus, transaction.CustomerId, transaction.CustomerEmail, transaction.CustomerCountry,
                transaction.MerchantId, transaction.MerchantName, transaction.MerchantCategory, transaction.TransactionType, transaction.Channel, transaction.DeviceType,
                transaction.CorrelationId, transaction.Metadata, transaction.ComplianceViolations, transaction.ViolationSeverity,
            }.Select(text => text.ToString()));
        Assert.Equal("C1", transaction.PartitionKey.ToString());
    }

    [Fact]
    public void Parse_TextsWithoutEscapes_PointIntoThePayload()
    {
        var payload = Encoding.UTF8.GetBytes(Event.Json(("customer_id", "\"C1\"")));

        var result = Event.Parse(payload);

        Assert.True(payload.AsSpan().Overlaps(result.Transaction.CustomerId.Span));
        Assert.Equal(payload, result.Payload);
        Assert.False(result.IsMasked);
    }

    [Fact]
    public void Parse_ManyEscapedTexts_KeepTheirOwnValues()
    {
        var result = Event.ParseWith(("customer_id", "\"a\\u0062c\""), ("merchant_name", "\"\\ud83d\\ude00 \\\"quoted\\\" \\/\\n\""), ("channel", "\"\\u0077eb\""));

        Assert.Equal(("abc", "😀 \"quoted\" /\n", "web"),
            (result.Transaction.CustomerId.ToString(), result.Transaction.MerchantName.ToString(), result.Transaction.Channel.ToString()));
    }

    [Theory]
    [InlineData("timestamp", "transaction_timestamp")]
    [InlineData("status", "payment_status")]
    public void Parse_OtherSpelling_IsTheSameField(string alias, string name)
    {
        var value = name == "payment_status" ? "\"declined\"" : "\"2025-12-08T11:00:00\"";

        var result = Event.ParseWith((name, null), (alias, value));

        Assert.True(result.IsValid);
        Assert.Equal(name == "payment_status" ? "declined" : "completed", name == "payment_status" ? result.Transaction.PaymentStatus.ToString() : "completed");
        Assert.Equal(Event.Micros(name == "payment_status" ? "2025-12-08 12:00:00" : "2025-12-08 11:00:00"), result.Transaction.TransactionTimestampMicros);
    }

    [Theory]
    [InlineData("\"success\"", "completed")]
    [InlineData("\"completed\"", "completed")]
    [InlineData("\"declined\"", "declined")]
    [InlineData("\"failed\"", "failed")]
    [InlineData("\"timeout\"", "timeout")]
    [InlineData("\"error\"", "error")]
    [InlineData("\"pending\"", "pending")]
    [InlineData("\"cancelled\"", "cancelled")]
    [InlineData("\"refunded\"", "refunded")]
    [InlineData("\"\\u0066ailed\"", "failed")]
    public void Parse_KnownStatus_IsTakenAndNormalised(string json, string status) =>
        Assert.Equal(status, Event.ParseWith(("payment_status", json)).Transaction.PaymentStatus.ToString());

    [Theory]
    [InlineData("\"Completed\"")]
    [InlineData("\"paid\"")]
    [InlineData("\" completed\"")]
    [InlineData("\"complete\"")]
    public void Parse_UnknownStatus_IsAnErrorWithoutValue(string json)
    {
        var result = Event.ParseWith(("payment_status", null), ("status", json));

        var error = Assert.Single(result.Errors);
        Assert.Equal(("status", Constraints.Status, json.Trim('"')), (error.Field, error.Constraint, error.Actual));
        Assert.True(result.Transaction.PaymentStatus.IsNull);
    }

    [Theory]
    [InlineData("transaction_id")]
    [InlineData("transaction_timestamp")]
    [InlineData("amount")]
    [InlineData("currency")]
    [InlineData("payment_method")]
    [InlineData("payment_status")]
    public void Parse_RequiredFieldAbsentNullOrEmpty_IsMissing(string field)
    {
        Assert.Equal((field, Constraints.Required, null), Summary(Event.SingleError((field, null))));
        Assert.Equal((field, Constraints.Required, "null"), Summary(Event.SingleError((field, "null"))));
        Assert.Equal((field, Constraints.Required, "empty"), Summary(Event.SingleError((field, "\"\""))));
    }

    [Theory]
    [InlineData("transaction_id", "1", "a number")]
    [InlineData("payment_method", "true", "a boolean")]
    [InlineData("currency", "[\"EUR\"]", "an array")]
    [InlineData("transaction_timestamp", "1733659200", "a number")]
    [InlineData("amount", "{\"value\":1}", "an object")]
    [InlineData("amount", "false", "a boolean")]
    [InlineData("customer_id", "17", "a number")]
    [InlineData("channel", "{}", "an object")]
    [InlineData("metadata", "\"{}\"", "a string")]
    [InlineData("metadata", "[1]", "an array")]
    [InlineData("compliance_violations", "{}", "an object")]
    public void Parse_WrongType_IsAnErrorWithoutValue(string field, string json, string actual)
    {
        Assert.Equal((field, Constraints.Type, actual), Summary(Event.SingleError((field, json))));
        var transaction = Event.ParseWith((field, json)).Transaction;
        Assert.True(transaction.CustomerId.IsNull && transaction.Channel.IsNull && transaction.Metadata.IsNull && transaction.ComplianceViolations.IsNull);
    }

    [Theory]
    [InlineData("customer_id")]
    [InlineData("metadata")]
    [InlineData("compliance_violations")]
    [InlineData("violation_severity")]
    [InlineData("correlation_id")]
    public void Parse_OptionalFieldNull_IsValidWithoutValue(string field) => Assert.True(Event.ParseWith((field, "null")).IsValid);

    [Fact]
    public void Parse_OptionalTextEmpty_HasAnEmptyValue()
    {
        var transaction = Event.ParseWith(("customer_id", "\"\"")).Transaction;

        Assert.True(transaction.CustomerId is { HasValue: true, Length: 0 });
        Assert.Equal("tx-1", transaction.PartitionKey.ToString());
    }

    [Theory]
    [InlineData("amount", "amount", "1", "2")]
    [InlineData("customer_id", "customer_id", "null", "\"C\"")]
    [InlineData("metadata", "metadata", "{}", "{}")]
    [InlineData("transaction_timestamp", "timestamp", "\"2025-12-08T12:00:00\"", "\"2025-12-08T12:00:00\"")]
    [InlineData("timestamp", "transaction_timestamp", "\"2025-12-08T12:00:00\"", "17")]
    [InlineData("payment_status", "status", "\"completed\"", "\"success\"")]
    [InlineData("channel", "ch\\u0061nnel", "\"web\"", "\"web\"")]
    public void Parse_KnownFieldTwice_IsOneErrorAndTheFirstCounts(string first, string second, string firstValue, string secondValue)
    {
        var rest = Event.Json((first, null), (second, null), ("transaction_timestamp", null), ("payment_status", null), ("amount", null));
        var all = new List<string> { $"\"{first}\":{firstValue}", $"\"{second}\":{secondValue}", $"\"{second}\":{secondValue}", rest[1..^1] };
        foreach (var (name, alias, value) in new[] { ("transaction_timestamp", "timestamp", $"\"{Event.Now}\""), ("payment_status", "status", "\"completed\""), ("amount", "amount", "1") })
        {
            if (first != name && first != alias)
                all.Add($"\"{name}\":{value}");
        }

        var result = Event.Parse($"{{{string.Join(",", all)}}}");

        var error = Assert.Single(result.Errors);
        Assert.Equal((second.Replace("\\u0061", "a", StringComparison.Ordinal), Constraints.Duplicate), (error.Field, error.Constraint));
        if (first == "amount")
            Assert.Equal(10_000, result.Transaction.AmountScaled);
    }

    [Fact]
    public void Parse_UnknownFieldTwice_IsIgnored() => Assert.True(Event.Parse("{\"x\":1,\"x\":2," + Event.Json()[1..]).IsValid);

    [Theory]
    [InlineData("transaction_id", 256)]
    [InlineData("customer_id", 256)]
    [InlineData("merchant_id", 256)]
    [InlineData("correlation_id", 256)]
    [InlineData("payment_method", 64)]
    [InlineData("merchant_name", 1024)]
    [InlineData("customer_email", 1024)]
    [InlineData("merchant_category", 256)]
    [InlineData("channel", 64)]
    [InlineData("customer_country", 64)]
    public void Parse_TextAtItsLimit_IsTakenAndOneByteMoreIsNot(string field, int limit)
    {
        Assert.True(Event.ParseWith((field, $"\"{new string('x', limit)}\"")).IsValid);
        Assert.True(Event.ParseWith((field, $"\"\\u0078{new string('x', limit - 1)}\"")).IsValid);

        Assert.Equal((field, Constraints.Size, $"{limit + 1} bytes"), Summary(Event.SingleError((field, $"\"{new string('x', limit + 1)}\""))));
        Assert.Equal((field, Constraints.Size, $"{limit + 1} bytes"), Summary(Event.SingleError((field, $"\"ü{new string('x', limit - 1)}\""))));
    }

    [Fact]
    public void Parse_ManyFaults_AreAllReported()
    {
        var result = Event.Parse("""{"amount":-1,"currency":"usd","payment_status":"done","transaction_timestamp":"yesterday","channel":3,"amount":2}""");

        Assert.Equal(
            ["amount amount_positive", "currency currency", "payment_status status", "transaction_timestamp timestamp", "channel type", "amount duplicate",
             "transaction_id required", "payment_method required"],
            result.Errors.Select(error => $"{error.Field} {error.Constraint}"));
    }

    [Fact]
    public void Parse_AfterAnInvalidEvent_StartsAfresh()
    {
        var parser = new TransactionParser(new TransactionParserOptions());
        parser.Parse(Encoding.UTF8.GetBytes("{\"customer_id\":\"C\",\"amount\":-3,\"note\":\"4111111111111111\"}"), Event.NowMicros);

        var result = parser.Parse(Encoding.UTF8.GetBytes(Event.Json()), Event.NowMicros);

        Assert.True(result.IsValid);
        Assert.True(result.Transaction.CustomerId.IsNull);
        Assert.False(result.IsMasked);
    }

    private static (string, string, string?) Summary(ValidationError error) => (error.Field, error.Constraint, error.Actual);
}
