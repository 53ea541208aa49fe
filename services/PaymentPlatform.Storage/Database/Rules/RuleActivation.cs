using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Storage.Database.Rules;

/// <summary>A row of <c>rule_activations</c>: from this offset of the partition on, each event is seen by this version, whoever reads it.</summary>
public readonly record struct RuleActivation(long Version, StreamPartition Partition, long FromOffset);
