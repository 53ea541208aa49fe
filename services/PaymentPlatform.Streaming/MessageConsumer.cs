using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming;

/// <summary>
/// Reads a consumer group's share of a stream. Start positions come from our own checkpoints, never from the broker, and nothing is ever committed to the broker.
/// Used by one loop at a time. Faults of the transport are retried inside, with backoff, and logged: they don't surface here.
/// </summary>
public abstract class MessageConsumer : IAsyncDisposable
{
    /// <summary>Waits for the next event.</summary>
    /// <param name="timeout">How long to wait at most; zero looks only at what is there already.</param>
    /// <returns>The event, or null when there was none within <paramref name="timeout"/>.</returns>
    public abstract ValueTask<ConsumerEvent?> ReadAsync(TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>
    /// Reads the partition again from its checkpoint: drops what was read ahead and answers with a new <see cref="ConsumerEvent.Assigned"/> when it is still ours, or <see cref="ConsumerEvent.Lost"/>.
    /// No batch of the old position is returned after this call.
    /// </summary>
    public abstract ValueTask RewindAsync(StreamPartition partition, CancellationToken cancellationToken);

    /// <summary>
    /// Reads nothing more of the partition until <see cref="RewindAsync"/> is called, and returns no batch of it after this call; its revocation or loss is announced as ever.
    /// For a caller that can't take it now: without this its messages would be read ahead only to be dropped.
    /// </summary>
    public virtual void Hold(StreamPartition partition)
    {
    }

    /// <summary>Gives the partition up: the answer to <see cref="ConsumerEvent.Revoking"/>.</summary>
    public abstract ValueTask ReleaseAsync(StreamPartition partition, CancellationToken cancellationToken);

    /// <summary>
    /// Begins a graceful end: no more batches; each owned partition is announced as <see cref="ConsumerEvent.Revoking"/>; once all are released, <see cref="ReadAsync"/> returns null at once and <see cref="IsStopped"/> is true.
    /// </summary>
    public abstract void Stop();

    /// <summary>True when <see cref="Stop"/> was called and no partition is owned any more.</summary>
    public abstract bool IsStopped { get; }

    /// <summary>Gives up what is left without ceremony.</summary>
    public abstract ValueTask DisposeAsync();
}
