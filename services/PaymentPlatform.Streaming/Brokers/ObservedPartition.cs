namespace PaymentPlatform.Streaming.Brokers;

/// <summary>Where a broker's partition begins and ends: offsets, the end exclusive.</summary>
public readonly record struct ObservedPartition(int PartitionId, long FirstOffset, long NextOffset);
