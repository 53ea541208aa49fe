using System.Globalization;
using Azure.Core;
using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Consumer;
using Azure.Messaging.EventHubs.Primitives;
using Azure.Messaging.EventHubs.Producer;

namespace PaymentPlatform.Streaming.EventHubs.Client;

/// <summary>The hub over Azure.Messaging.EventHubs: one producer, which the container owns unless it is said to be ours, and one connection that all receivers share.</summary>
internal sealed class SdkHubClient(EventHubProducerClient producer, HubAddress address, TokenCredential credential, bool ownsProducer = false) : HubClient
{
    /// <summary>The lowest level there is. Among equals the one that came last reads.</summary>
    private const long OwnerLevel = 0;

    private const int PrefetchedEvents = 300;
    private const long PrefetchedBytes = 2 << 20;

    private readonly Lazy<EventHubConnection> _connection = new(() => address.ConnectionString is { } whole
        ? new EventHubConnection(whole, address.Hub)
        : new EventHubConnection(address.Namespace, address.Hub, credential));

    public override HubAddress Address => address;

    public override Task<HubProperties> GetPropertiesAsync(CancellationToken cancellationToken) => SdkFaults.TranslateAsync(async () =>
    {
        var properties = await producer.GetEventHubPropertiesAsync(cancellationToken);
        return new HubProperties(properties.CreatedOn, properties.PartitionIds.Length);
    }, cancellationToken);

    public override Task<HubPartition> GetPartitionAsync(int partition, CancellationToken cancellationToken) => SdkFaults.TranslateAsync(async () =>
    {
        var properties = await producer.GetPartitionPropertiesAsync(Id(partition), cancellationToken);
        return HubPartition.From(properties.IsEmpty, properties.BeginningSequenceNumber, properties.LastEnqueuedSequenceNumber);
    }, cancellationToken);

    public override HubReceiver OpenReceiver(string consumerGroup, int partition, long? after, bool isExclusive)
    {
        var options = new PartitionReceiverOptions
        {
            OwnerLevel = isExclusive ? OwnerLevel : null,
            PrefetchCount = PrefetchedEvents,
            PrefetchSizeInBytes = PrefetchedBytes,
            TrackLastEnqueuedEventProperties = false,
            // A receiver that reconnects by itself goes on at an offset, in whatever log it finds: ours ends instead, and the next one looks first.
            RetryOptions = new EventHubsRetryOptions { MaximumRetries = 0, TryTimeout = TimeSpan.FromSeconds(15) },
        };
        var position = after is { } sequenceNumber ? EventPosition.FromSequenceNumber(sequenceNumber, isInclusive: false) : EventPosition.Earliest;
        return new SdkHubReceiver(new PartitionReceiver(consumerGroup, Id(partition), position, _connection.Value, options));
    }

    public override async ValueTask<HubBatch> CreateBatchAsync(int partition, CancellationToken cancellationToken) => await SdkFaults.TranslateAsync(
        async () => new SdkHubBatch(await producer.CreateBatchAsync(new CreateBatchOptions { PartitionId = Id(partition) }, cancellationToken)), cancellationToken);

    public override Task SendAsync(HubBatch batch, CancellationToken cancellationToken) => SdkFaults.TranslateAsync(async () =>
    {
        await producer.SendAsync(((SdkHubBatch)batch).Events, cancellationToken);
        return true;
    }, cancellationToken);

    public override HubClient OpenOther(string hub)
    {
        var other = address.For(hub);
        var options = new EventHubProducerClientOptions();
        EventHubsExtensions.SetRetries(options);
        return new SdkHubClient(
            other.ConnectionString is { } whole ? new(whole, hub, options) : new EventHubProducerClient(other.Namespace, hub, credential, options), other, credential, ownsProducer: true);
    }

    public override async ValueTask DisposeAsync()
    {
        if (ownsProducer)
            await producer.DisposeAsync();
        if (_connection.IsValueCreated)
            await _connection.Value.DisposeAsync();
    }

    private static string Id(int partition) => partition.ToString(CultureInfo.InvariantCulture);
}
