using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Tests;

/// <summary>What a transport gives the conformance suite: one stream of its own with 4 partitions, and the database of its checkpoints.</summary>
public abstract class StreamFixture : IAsyncDisposable
{
    public const int Partitions = 4;

    /// <summary>Bytes of the largest body that the transport takes.</summary>
    public virtual int LargestBody => 1 << 20;

    /// <summary>False over a broker, which takes each partition's part of a call by itself, and may take it twice.</summary>
    public virtual bool TakesCallsWhole => true;

    /// <summary>Drops the stream and makes it again: another log.</summary>
    public abstract Task RecreateAsync();

    /// <summary>As another process would have it: nothing is shared between two of them.</summary>
    public abstract MessagePublisher CreatePublisher();

    /// <summary>One that soon gives up.</summary>
    public virtual MessagePublisher CreateImpatientPublisher() => CreatePublisher();

    /// <inheritdoc cref="CreatePublisher"/>
    public abstract MessageConsumerFactory CreateConsumers();

    /// <summary>A publisher and a consumer factory whose broker does not answer.</summary>
    public abstract (MessagePublisher Publisher, MessageConsumerFactory Consumers, string Address) CreateUnreachable();

    /// <summary>The compare-and-swap of a transaction without other effects.</summary>
    /// <returns>The partitions that another owner has moved on.</returns>
    public abstract Task<IReadOnlyList<StreamPartition>> CommitAsync(string group, params OffsetRange[] ranges);

    /// <summary>Cuts the connections of the publishers, whatever they are doing.</summary>
    public abstract Task CutPublishersAsync();

    public abstract ValueTask DisposeAsync();
}
