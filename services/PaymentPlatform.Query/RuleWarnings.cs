using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Query;

/// <summary>What is allowed in a file of rules, but hardly meant.</summary>
internal static class RuleWarnings
{
    /// <returns>A sentence each; mostly none.</returns>
    public static IReadOnlyList<string> Of(RuleSet rules) => rules.Rules switch
    {
        [] => ["The file has no rules: with it every rule is switched off."],
        var all when all.All(r => !r.Enabled) => ["Every rule of the file is switched off (enabled: false)."],
        _ => [],
    };
}
