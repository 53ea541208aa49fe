using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.MetricEngine.Tests.Rules;

internal static class RuleSets
{
    /// <param name="rules">Rules without name, version and metric type: they are rule_1, rule_2, ... of version 1.</param>
    public static RuleSet Of(params string[] rules) => Valid($"rules:\n{string.Concat(rules.Select((rule, i) => $"  - name: rule_{i + 1}\n    version: 1\n    {rule.ReplaceLineEndings("\n    ")}\n"))}");

    public static RuleSet Valid(string yaml)
    {
        var result = RuleSet.Parse(yaml, "test.yaml");
        Assert.Empty(result.Errors);
        return result.RuleSet!;
    }
}
