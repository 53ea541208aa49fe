using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming;

/// <summary>
/// Consecutive messages of one partition, in offset order. The messages point into buffers that the batch owns:
/// copy what is to outlive <see cref="Dispose"/>.
/// </summary>
public abstract class MessageBatch : IDisposable
{
    public abstract StreamPartition Partition { get; }

    /// <summary>Where reading went on: the previous batch's <see cref="NextOffset"/>, also when the first message's offset is higher because the log has holes.</summary>
    public abstract long FirstOffset { get; }

    /// <summary>Where the next batch starts: the checkpoint once all of this one has taken effect.</summary>
    public abstract long NextOffset { get; }

    /// <summary>May be empty when the span held nothing (a broker's control records).</summary>
    public abstract ReadOnlySpan<ReceivedMessage> Messages { get; }

    /// <summary>Sum of the bodies' sizes.</summary>
    public abstract long BodyBytes { get; }

    /// <summary>Bytes of memory that it takes, roughly: what read-ahead is measured in.</summary>
    internal virtual long HeldBytes => BodyBytes;

    public abstract void Dispose();
}
