using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>What a batch changed of a partition's state of rules, or all of it.</summary>
/// <param name="NextOffset">The checkpoint that it belongs to.</param>
/// <param name="Payload">As <see cref="RuleStateCodec"/> packs it.</param>
/// <param name="IsSnapshot">All of it: what was kept before goes.</param>
internal readonly record struct RuleStateChange(StreamPartition Partition, long NextOffset, byte[] Payload, bool IsSnapshot);
