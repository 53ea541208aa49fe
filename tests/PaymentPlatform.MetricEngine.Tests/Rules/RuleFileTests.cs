using System.Text.Json;
using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.MetricEngine.Tests.Rules;

public sealed class RuleFileTests
{
    private const string Good = """
        thresholds: { high: { USD: 10 }, score: 0.8 }
        rules:
          - name: first
            version: 1
            metric_type: count
            condition: amount > 1
          - name: second
            version: 1
            metric_type: count
            window: 5m

        """;

    [Fact]
    public void Parse_GoodFile_HasItsRules() => Assert.Equal(["first", "second"], RuleSets.Valid(Good).Rules.Select(r => r.Name));

    /// <summary>What is put in place of a line, or behind it, and the fault's line, rule and message.</summary>
    [Theory]
    [InlineData("condition: amount > 1", "condition: amount >", 6, "first", "column 24: the end stands where")]
    [InlineData("condition: amount > 1", "condition: amount = 1", 6, "first", "'=' is no operator")]
    [InlineData("condition: amount > 1", "condition: amount > 'x'", 6, "first", "> compares numbers, and 'x' is none")]
    [InlineData("condition: amount > 1", "condition: currency > 5", 6, "first", "> compares numbers, and currency is none")]
    [InlineData("condition: amount > 1", "condition: amount == 'x'", 6, "first", "never equal")]
    [InlineData("condition: amount > 1", "condition: amount matches 'x'", 6, "first", "matches needs a text field")]
    [InlineData("condition: amount > 1", "condition: customer_id matches '('", 6, "first", "is no regular expression")]
    [InlineData("condition: amount > 1", "condition: customer_id matches '(?=x)'", 6, "first", "linear time")]
    [InlineData("condition: amount > 1", "condition: customer_id matches '(a{1,1000}){1000}'", 6, "first", "linear time")]
    [InlineData("condition: amount > 1", "condition: amount > thresholds.none", 6, "first", "column 25: thresholds.none is unknown")]
    [InlineData("condition: amount > 1", "condition: currency in lists.none", 6, "first", "lists.none is unknown")]
    [InlineData("condition: amount > 1", "condition: upper(currency) == 'X'", 6, "first", "upper() is unknown")]
    [InlineData("condition: amount > 1", "condition: count(amount) > 1", 6, "first", "count() needs an array")]
    [InlineData("condition: amount > 1", "condition: payment_status == 'success'", 6, "first", "no payment_status")]
    [InlineData("condition: amount > 1", "condition: currency == 'usd'", 6, "first", "three capital letters")]
    [InlineData("condition: amount > 1", "condition: amount > 1 amount < 2", 6, "first", "column 27: 'amount' can't follow")]
    [InlineData("condition: amount > 1", "condition: amount > 0.00001", 6, "first", "four decimals")]
    [InlineData("condition: amount > 1", "condition: (amount > 1", 6, "first", "')' is missing")]
    [InlineData("condition: amount > 1", "condition: currency == 'USD", 6, "first", "has no end")]
    [InlineData("condition: amount > 1", "condition: transaction_timestamp > 1", 6, "first", "can't be compared")]
    [InlineData("condition: amount > 1", "condition: >\n      amount > 1\n        and nothing", 8, "first", "an operator is missing")]
    [InlineData("condition: amount > 1", "conditions: amount > 1", 6, "first", "conditions is unknown")]
    [InlineData("condition: amount > 1", "enabled: true", 3, "first", "condition is missing")]
    [InlineData("condition: amount > 1", "condition: amount > 1\n    enabled: maybe", 7, "first", "must be true or false")]
    [InlineData("condition: amount > 1", "condition: amount > 1\n    field: currency", 7, "first", "field is 'currency'")]
    [InlineData("condition: amount > 1", "condition: amount > 1\n    expression: 1", 7, "first", "only metric_type derived")]
    [InlineData("condition: amount > 1", "condition: amount > 1\n    matching: amount > 2\n    window: 5m", 7, "first", "only a ratio or percentage")]
    [InlineData("metric_type: count\n    condition: amount > 1", "metric_type: median\n    condition: amount > 1", 5, "first", "metric_type is 'median'")]
    [InlineData("metric_type: count\n    condition: amount > 1", "metric_type: average\n    condition: amount > 1\n    field: amount", 5, "first", "needs a window")]
    [InlineData("version: 1\n    metric_type: count\n    condition", "version: 0\n    metric_type: count\n    condition", 4, "first", "version is '0'")]
    [InlineData("name: second", "name: first", 7, "first", "already used in line 3")]
    [InlineData("name: second", "name: Second", 7, "Second", "small letters")]
    [InlineData("name: second", "enabled: true", 7, null, "name is missing")]
    [InlineData("window: 5m", "window: 7m", 10, "second", "divides a day")]
    [InlineData("window: 5m", "window: soon", 10, "second", "divides a day")]
    [InlineData("window: 5m", "window: 5m\n    group_by: [currency, channel, merchant_id, customer_id]", 11, "second", "3 is the most")]
    [InlineData("window: 5m", "window: 5m\n    group_by: [amount]", 11, "second", "can't have 'amount'")]
    [InlineData("window: 5m", "group_by: currency", 7, "second", "window is missing")]
    [InlineData("metric_type: count\n    window: 5m", "metric_type: sum\n    window: 5m", 7, "second", "field is missing")]
    [InlineData("metric_type: count\n    window: 5m", "metric_type: sum\n    window: 5m\n    field: amount", 7, "second", "must have currency")]
    [InlineData("metric_type: count\n    window: 5m", "metric_type: ratio\n    window: 5m", 7, "second", "matching is missing")]
    [InlineData("metric_type: count\n    window: 5m", "metric_type: derived\n    expression: first / 2", 10, "second", "first has no window")]
    [InlineData("metric_type: count\n    window: 5m", "metric_type: derived\n    expression: second + 1", 10, "second", "second > second goes round")]
    [InlineData("metric_type: count\n    window: 5m", "metric_type: derived\n    expression: third", 10, "second", "third is no rule")]
    [InlineData("window: 5m", "sliding: { key: merchant_id, within: 1m, at_least: 3 }", 10, "second", "count by a tumbling window instead")]
    [InlineData("window: 5m", "sliding: { key: customer_id, within: 1m, at_least: 0 }", 10, "second", "from 1 to 10000")]
    [InlineData("window: 5m", "sliding: { key: customer_id, within: 60d, at_least: 3 }", 10, "second", "longer than 31d")]
    [InlineData("window: 5m", "sliding: { key: customer_id, within: 1m, at_least: 3, more: 1 }", 10, "second", "sliding.more is unknown")]
    [InlineData("window: 5m", "sliding: { key: customer_id, within: 1m, at_least: 3 }\n    window: 5m", 11, "second", "can't be here")]
    [InlineData("metric_type: count\n    window: 5m", "metric_type: sum\n    field: amount\n    sliding: { key: customer_id, within: 1m, at_least: 3 }", 11, "second", "currency in its key")]
    [InlineData("window: 5m", "requires_earlier: { key: transaction_id, within: 1m }", 10, "second", "condition is missing")]
    [InlineData("thresholds: { high: { USD: 10 }, score: 0.8 }", "thresholds: { high: { usd: 10 }, score: 0.8 }", 1, null, "no currency")]
    [InlineData("thresholds: { high: { USD: 10 }, score: 0.8 }", "thresholds: { high: { USD: much }, score: 0.8 }", 1, null, "must be a number")]
    [InlineData("thresholds: { high: { USD: 10 }, score: 0.8 }", "limits: 1", 1, null, "limits is unknown")]
    [InlineData("thresholds: { high: { USD: 10 }, score: 0.8 }", "max_keys: 3", 1, null, "max_keys")]
    [InlineData("thresholds: { high: { USD: 10 }, score: 0.8 }", "allowed_lateness: 3", 1, null, "allowed_lateness")]
    [InlineData("thresholds: { high: { USD: 10 }, score: 0.8 }", "thresholds: { high: [", 2, null, "is not YAML")]
    public void Parse_Fault_IsReportedWithLineRuleAndReason(string line, string replacement, int errorLine, string? rule, string message)
    {
        Assert.Contains(line, Good, StringComparison.Ordinal);
        // The last place, as the second rule has the keys of the first.
        var at = Good.LastIndexOf(line, StringComparison.Ordinal);
        var result = RuleSet.Parse(Good[..at] + replacement + Good[(at + line.Length)..], "rules.yaml");

        Assert.False(result.IsValid);
        Assert.Contains(result.Errors, e => e.File == "rules.yaml" && e.Line == errorLine && e.Rule == rule && e.Message.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_SeveralFaults_ReportsAllInOrder()
    {
        var errors = RuleSet.Parse(Good.Replace("amount > 1", "amount >", StringComparison.Ordinal).Replace("5m", "7m", StringComparison.Ordinal).Replace("version: 1", "version: x", StringComparison.Ordinal), "f").Errors;

        Assert.Equal([4, 6, 8, 10], errors.Select(e => e.Line));
    }

    [Theory]
    [InlineData("")]
    [InlineData("- a")]
    [InlineData("rules: 5")]
    [InlineData("rules: [5]")]
    [InlineData("a: &a [*a]")]
    [InlineData("rules: [")]
    [InlineData("rules: ]")]
    [InlineData("rules: [a")]
    [InlineData("rules: {a")]
    [InlineData("rules: 'a")]
    [InlineData("rules: *a")]
    [InlineData("rules: [{name: [x], version: {}, metric_type: [], condition: {}}]")]
    public void Parse_AnythingElse_IsAnErrorAndNoException(string yaml) => Assert.NotEmpty(RuleSet.Parse(yaml, "f").Errors);

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    public void Parse_DeepYaml_IsAnErrorAndNoException(string level) =>
        Assert.Contains("deeper", RuleSet.Parse("rules:\n  " + string.Concat(Enumerable.Repeat(level, 20_000)), "f").Errors[0].Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_DeepNesting_IsAnErrorAndNoException() =>
        Assert.Contains("nested deeper", RuleSet.Parse(Good.Replace("amount > 1", $"{new string('(', 5_000)}amount > 1", StringComparison.Ordinal), "f").Errors[0].Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_Derived_TakesWindowAndGroupOfItsParts()
    {
        var rules = RuleSets.Of(
            "metric_type: count\nwindow: 1h\ngroup_by: currency", "metric_type: sum\nfield: amount\nwindow: 1h\ngroup_by: currency",
            "metric_type: derived\nexpression: rule_4 * 2", "metric_type: derived\nexpression: (rule_2 - 4) / rule_1");

        Assert.Equal(3_600_000_000, rules.Rules[2].WindowMicros);
        Assert.Equal(["currency"], rules.Rules[2].GroupBy);
        var figures = new Dictionary<string, decimal?> { ["rule_1"] = 4, ["rule_2"] = 10 };
        Assert.Equal(1.5m, rules.Rules[3].Formula!.Evaluate(figures.GetValueOrDefault));
        figures["rule_1"] = 0;
        Assert.Null(rules.Rules[3].Formula!.Evaluate(figures.GetValueOrDefault));
    }

    [Fact]
    public void Hash_Layout_DoesNotCount()
    {
        var rule = Good.Replace("amount > 1", ">\n      (amount   >\n      1.0)", StringComparison.Ordinal).Replace("version: 1", "version: 1\n    description: another", StringComparison.Ordinal);
        Assert.Equal(RuleSets.Valid(Good).Rules.Select(r => r.Hash), RuleSets.Valid(rule).Rules.Select(r => r.Hash));
    }

    [Fact]
    public void Schema_Keys_AreThoseOfTheReader()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "rules.schema.json")));
        var definitions = schema.RootElement.GetProperty("$defs");

        Assert.Equal(RuleFileKeys.File, Keys(schema.RootElement));
        Assert.Equal(RuleFileKeys.Rule, Keys(definitions.GetProperty("rule")));
        Assert.Equal(RuleFileKeys.Sliding, Keys(definitions.GetProperty("sliding")));
        Assert.Equal(RuleFileKeys.RequiresEarlier, Keys(definitions.GetProperty("requires_earlier")));
        Assert.Equal(RuleFileKeys.FollowedBy, Keys(definitions.GetProperty("followed_by")));

        static IEnumerable<string> Keys(JsonElement definition)
        {
            Assert.False(definition.GetProperty("additionalProperties").GetBoolean());
            return definition.GetProperty("properties").EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal);
        }
    }

    [Fact]
    public void Starter_File_IsValidAndTheOneBesideTheProgram()
    {
        Assert.Empty(RuleSet.Parse(RuleSet.StarterYaml, "rules.yaml").Errors);
        Assert.Equal(RuleSet.StarterYaml, File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "rules.yaml")));
        Assert.All(RuleSet.Starter.Rules, rule => Assert.NotEmpty(rule.Description));
    }
}
