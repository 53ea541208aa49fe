using System.Text;
using Azure.Messaging.EventHubs;
using Azure.Messaging.EventHubs.Producer;

namespace PaymentPlatform.Streaming.EventHubs.Client;

/// <summary>One <see cref="EventDataBatch"/>, which knows what the service takes.</summary>
internal sealed class SdkHubBatch(EventDataBatch events) : HubBatch
{
    public EventDataBatch Events => events;

    public override int Count => events.Count;

    public override long Bytes => events.SizeInBytes;

    public override long MaxBytes => events.MaximumSizeInBytes;

    public override bool TryAdd(in Message message, in MessageIdentity identity)
    {
        // A copy: a send that was given up may still be on its way when its caller takes the memory back.
        var data = new EventData((ReadOnlyMemory<byte>)message.Body.ToArray());
        if (!message.MessageId.IsEmpty)
            data.MessageId = Encoding.UTF8.GetString(message.MessageId.Span);
        if (!message.CorrelationId.IsEmpty)
            data.CorrelationId = Encoding.UTF8.GetString(message.CorrelationId.Span);
        foreach (var (name, value) in HubMessages.PropertiesOf(message, identity))
            data.Properties[name] = value;
        return events.TryAdd(data);
    }

    public override void Dispose() => events.Dispose();
}
