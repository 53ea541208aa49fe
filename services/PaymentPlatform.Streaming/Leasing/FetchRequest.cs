namespace PaymentPlatform.Streaming.Leasing;

/// <summary>"Read on from here": valid while the partition's generation stands.</summary>
/// <param name="Budget">Uncompressed bytes after which no further record batch is begun.</param>
internal sealed record FetchRequest(ConsumedPartition Partition, int Generation, long Position, long Budget);
