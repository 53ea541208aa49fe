using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming;

/// <summary>Reads a span of a log once more, without a consumer group and without moving anything.</summary>
public abstract class StreamRangeReader
{
    /// <summary>The batches that hold the range's messages, in offset order. The first and the last may hold messages outside of it. The reader disposes each batch.</summary>
    /// <exception cref="StreamRangeGoneException">Some of the range is no longer, or not yet, in the log, or the log itself is gone. Thrown before the first batch.</exception>
    public abstract IAsyncEnumerable<MessageBatch> ReadAsync(OffsetRange range, CancellationToken cancellationToken);
}
