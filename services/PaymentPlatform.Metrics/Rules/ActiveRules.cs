using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>A row of <c>rule_versions</c>, compiled.</summary>
internal sealed record ActiveRules(long Version, RuleSet RuleSet);
