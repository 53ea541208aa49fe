using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.MetricEngine.Tests.Rules;

public sealed class ConditionTests
{
    private const string Names = """
        thresholds:
          high: { USD: 100.5, JPY: 9000 }
          other: { EUR: 1, default: 50 }
          score: 0.25
        lists:
          brands: [Visa, Amex]

        """;

    [Theory]
    [InlineData("amount == 100.5")]
    [InlineData("amount > 100.4999 and amount < 100.5001")]
    [InlineData("amount >= thresholds.high")]
    [InlineData("amount <= 1.0 * thresholds.high")]
    [InlineData("not amount > thresholds.high")]
    [InlineData("amount > thresholds.other")]
    [InlineData("amount >= 0.33333333 * thresholds.high and amount < thresholds.high * 1.00001")]
    [InlineData("status == 'completed' and payment_status in ['completed', 'failed']")]
    [InlineData("payment_status not in ['pending']")]
    [InlineData("payment_method != \"debit_card\"")]
    [InlineData("metadata.risk_score == thresholds.score and metadata.risk_score < 0.3")]
    [InlineData("metadata.risk_score in [1, 0.25]")]
    [InlineData("metadata.card_brand in lists.brands")]
    [InlineData("metadata.3ds_verified == true")]
    [InlineData("metadata.nested.text == 'in \"quotes\"'")]
    [InlineData("exists(metadata.nested) and not exists(metadata.nested.nothing) and not exists(metadata.none)")]
    [InlineData("metadata.none != 'x' and not metadata.none == 'x' and metadata.none not in ['x']")]
    [InlineData("count(metadata.fraud_indicators) == 2")]
    [InlineData("length(customer_id) == 6 and length(metadata.card_last4) >= 4")]
    [InlineData("store.country == customer_country and store.number == 7")]
    [InlineData("store.country == 'US' and metadata.card_brand == 'Visa'")]
    [InlineData("customer_email matches '^[^@]+@[^@]+$' and not customer_email matches '\\d'")]
    [InlineData("amount > 1000 and amount > 2000 or currency == 'USD'")]
    [InlineData("not (amount > 1000 or currency == 'EUR')")]
    [InlineData("not card_data and card_data == false")]
    public void Evaluate_ConditionThatHolds_IsAHit(string condition) => Assert.True(Holds(condition));

    [Theory]
    [InlineData("amount > 100.5")]
    [InlineData("amount < thresholds.high")]
    [InlineData("amount == 0.33333333 * thresholds.high")]
    [InlineData("currency == 'EUR' and amount > 0")]
    [InlineData("metadata.risk_score == 'x'")]
    [InlineData("metadata.card_last4 == 1234")]
    [InlineData("metadata.card_last4 > 1000")]
    [InlineData("metadata.none > 0 or metadata.none == 'x' or metadata.none matches 'x' or count(metadata.none) >= 0 or length(metadata.none) >= 0")]
    [InlineData("metadata.3ds_verified == false")]
    [InlineData("exists(correlation_id)")]
    [InlineData("card_data")]
    [InlineData("store.country != customer_country")]
    [InlineData("metadata.risk_score > 1000 * thresholds.score")]
    public void Evaluate_ConditionThatDoesNotHold_IsNone(string condition) => Assert.False(Holds(condition));

    [Theory]
    [InlineData("EUR", 1.01, true)]
    [InlineData("EUR", 1, false)]
    [InlineData("JPY", 51, true)]
    [InlineData("JPY", 50, false)]
    public void Evaluate_ThresholdByCurrency_UsesItsOwnOrTheDefault(string currency, decimal amount, bool expected) =>
        Assert.Equal(expected, Holds("amount > thresholds.other", FormattableString.Invariant($$"""{"currency": "{{currency}}", "amount": {{amount}}}""")));

    [Fact]
    public void Evaluate_ThresholdWithoutTheCurrency_NeverHolds() =>
        Assert.False(Holds("amount > thresholds.high or amount <= thresholds.high", """{"currency": "EUR"}"""));

    [Fact]
    public void Evaluate_AmountsOfManyDigits_AreExact()
    {
        const string large = """{"amount": 900719925474099.3331}""";
        Assert.True(Holds("amount > 900719925474099.333", large));
        Assert.False(Holds("amount > 900719925474099.3331", large));
    }

    [Theory]
    [InlineData("1e-1", true)]
    [InlineData("0.1000", true)]
    [InlineData("1e400", false)]
    [InlineData("\"0.1\"", false)]
    public void Evaluate_MetadataNumber_IsTakenByItsValue(string json, bool expected) =>
        Assert.Equal(expected, Holds("metadata.x == 0.1", "{\"metadata\": {\"x\": " + json + "}}"));

    [Fact]
    public void Evaluate_NameGivenTwice_TakesTheFirst()
    {
        var payload = System.Text.Encoding.UTF8.GetString(Events.With("""{"metadata": {"x": "one"}}""")).Replace("{\"x\":\"one\"}", "{\"x\":\"one\",\"x\":\"two\"}", StringComparison.Ordinal);
        Assert.True(Holds("metadata.x == 'one'", System.Text.Encoding.UTF8.GetBytes(payload)));
    }

    private static bool Holds(string condition, string fields = "{}") => Holds(condition, Events.With(fields));

    private static bool Holds(string condition, byte[] payload)
    {
        var rules = RuleSets.Valid($"{Names}rules:\n  - name: rule\n    version: 1\n    metric_type: count\n    condition: >-\n      {condition}\n");
        var output = new RuleOutput();
        new RuleEvaluator(rules).Evaluate(new(rules), Events.Parse(payload), 0, 0, output);
        return output.Hits.Count == 1;
    }
}
