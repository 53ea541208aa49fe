namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>What bounds the state of a file's stateful rules.</summary>
/// <param name="LatenessMicros">Events that are older than the partition's newest by more are left out of stateful rules.</param>
/// <param name="MaxKeys">Keys that a rule keeps in a partition.</param>
internal sealed record RuleLimits(long LatenessMicros, int MaxKeys);
