using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming;

/// <summary>The next thing that happened to a consumer. Events of one partition come in order: assigned, batches, then revoking or lost.</summary>
public abstract record ConsumerEvent
{
    private ConsumerEvent()
    {
    }

    /// <summary>The partition is ours from <paramref name="NextOffset"/>, our checkpoint, on. Anything still held for it is void.</summary>
    public sealed record Assigned(StreamPartition Partition, long NextOffset) : ConsumerEvent;

    /// <summary>The reader disposes the batch.</summary>
    public sealed record Received(MessageBatch Batch) : ConsumerEvent;

    /// <summary>The partition is to go to another owner: commit what is held for it, then call <see cref="MessageConsumer.ReleaseAsync"/>. No batch of it follows.</summary>
    public sealed record Revoking(StreamPartition Partition) : ConsumerEvent;

    /// <summary>The partition is gone already (lease expired, log recreated): drop what is held for it.</summary>
    public sealed record Lost(StreamPartition Partition) : ConsumerEvent;
}
