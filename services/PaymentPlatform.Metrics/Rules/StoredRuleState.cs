using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>A partition's state as it was read, and what had to be read for it.</summary>
/// <param name="Changes">Rows of <c>rule_state_log</c>.</param>
/// <param name="ChangedBytes">Of those rows, compressed, as is <paramref name="SnapshotBytes"/>.</param>
internal sealed record StoredRuleState(PartitionRuleState State, int Changes, long ChangedBytes, long SnapshotBytes);
