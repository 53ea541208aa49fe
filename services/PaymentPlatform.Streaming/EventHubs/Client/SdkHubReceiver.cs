using System.Globalization;
using System.Text;
using Azure.Core.Amqp;
using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Primitives;

namespace PaymentPlatform.Streaming.EventHubs.Client;

/// <summary>One <see cref="PartitionReceiver"/>.</summary>
internal sealed class SdkHubReceiver(PartitionReceiver receiver) : HubReceiver
{
    public override Task<IReadOnlyList<HubEvent>> ReceiveAsync(int maximum, TimeSpan wait, CancellationToken cancellationToken) => SdkFaults.TranslateAsync(
        async () => (IReadOnlyList<HubEvent>)[.. (await receiver.ReceiveBatchAsync(maximum, wait, cancellationToken)).Select(Read)], cancellationToken, SdkFaults.OfPosition);

    public override async ValueTask DisposeAsync()
    {
        await SdkFaults.TranslateAsync(async () =>
        {
            await receiver.CloseAsync(CancellationToken.None);
            return true;
        }, CancellationToken.None);
    }

    private static HubEvent Read(EventData data) =>
        new(data.SequenceNumber, data.EnqueuedTime, BodyOf(data), data.MessageId, data.CorrelationId, data.PartitionKey, data.Properties);

    /// <summary>Producers that speak AMQP themselves may send a value where an event has bytes: its text stands for it, so that no event stops its partition.</summary>
    private static ReadOnlyMemory<byte> BodyOf(EventData data)
    {
        var body = data.GetRawAmqpMessage().Body;
        if (body.BodyType == AmqpMessageBodyType.Data)
            return data.EventBody.ToMemory();
        return body.TryGetValue(out var value) ? value as byte[] ?? Encoding.UTF8.GetBytes(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "") : ReadOnlyMemory<byte>.Empty;
    }
}
