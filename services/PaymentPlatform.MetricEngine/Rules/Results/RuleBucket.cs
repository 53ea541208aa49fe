namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A bucket's key, independent of the rule set that filled it.</summary>
/// <param name="GroupKey">A JSON array of the group's values as texts, null where the event has none: <c>["credit_card","USD"]</c>; <c>[]</c> without a group. At most about 800 bytes.</param>
/// <param name="WindowStartMicros">Microseconds since the Unix epoch, a multiple of the window's length.</param>
public readonly record struct RuleBucket(string RuleName, int RuleVersion, MetricType MetricType, string GroupKey, long WindowStartMicros, long WindowEndMicros);
