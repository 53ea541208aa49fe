namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>
/// One hub, as this transport needs it: the seam to the SDK, which keeps everything else free of it. Thread-safe. Whatever fails throws <see cref="HubException"/>.
/// </summary>
internal abstract class HubClient : IAsyncDisposable
{
    /// <summary>Names the hub for people.</summary>
    public abstract HubAddress Address { get; }

    public abstract Task<HubProperties> GetPropertiesAsync(CancellationToken cancellationToken);

    public abstract Task<HubPartition> GetPartitionAsync(int partition, CancellationToken cancellationToken);

    /// <summary>Nothing is connected before the first receive.</summary>
    /// <param name="after">Sequence number of the event before the first one wanted; null for the log's beginning.</param>
    /// <param name="isExclusive">Ends an earlier exclusive reader of the group and partition, and is ended by a later one.</param>
    public abstract HubReceiver OpenReceiver(string consumerGroup, int partition, long? after, bool isExclusive);

    /// <summary>An empty batch for the partition.</summary>
    public abstract ValueTask<HubBatch> CreateBatchAsync(int partition, CancellationToken cancellationToken);

    /// <summary>Completes once the hub holds the whole batch. After a fault it may hold it all the same, or twice.</summary>
    public abstract Task SendAsync(HubBatch batch, CancellationToken cancellationToken);

    /// <summary>Another hub of the same namespace; nothing is connected yet. The caller's to dispose of.</summary>
    public abstract HubClient OpenOther(string hub);

    public abstract ValueTask DisposeAsync();
}
