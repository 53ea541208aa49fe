namespace PaymentPlatform.Query;

/// <summary>How far a consumer group is in a partition.</summary>
/// <param name="Position">The next offset to be read.</param>
/// <param name="End">The next offset to be written.</param>
/// <param name="Lag">Events that wait.</param>
/// <param name="Owner">The consumer that reads it now; null when none does.</param>
public sealed record PipelineItem(string ConsumerGroup, string Stream, string LogId, int PartitionId, long Position, long End, long Lag, string? Owner);
