using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>A hit, with the partition of its event.</summary>
internal readonly record struct PositionedHit(StreamPartition Partition, RuleHit Hit);
