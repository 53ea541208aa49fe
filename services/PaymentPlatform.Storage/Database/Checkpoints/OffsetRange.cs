namespace PaymentPlatform.Storage.Database.Checkpoints;

/// <summary>The half-open interval [<see cref="From"/>, <see cref="To"/>) of a partition's offsets. Brokers leave holes: not every offset in it need exist.</summary>
public readonly record struct OffsetRange(StreamPartition Partition, long From, long To);
