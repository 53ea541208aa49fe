using PaymentPlatform.Streaming.EventHubs;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

/// <summary>Copies what it is given, as an encoder does.</summary>
internal sealed class MemoryBatch(int partition) : HubBatch
{
    private readonly List<HubEvent> _events = [];
    private long _bytes;

    public override int Count => _events.Count;

    public override long Bytes => _bytes;

    public override long MaxBytes => MemoryHub.MaxBatchBytes;

    public override bool TryAdd(in Message message, in MessageIdentity identity)
    {
        var bytes = message.Body.Length + MemoryHub.EventOverhead;
        if (_bytes + bytes > MaxBytes)
            return false;
        _bytes += bytes;
        _events.Add(new(
            -1, default, message.Body.ToArray(), message.MessageId.Text(), message.CorrelationId.Text(), PartitionKey: null,
            HubMessages.PropertiesOf(message, identity).ToDictionary(p => p.Key, p => (object)p.Value)));
        return true;
    }

    public void Deconstruct(out int toPartition, out IReadOnlyList<HubEvent> events) => (toPartition, events) = (partition, _events);

    public override void Dispose()
    {
    }
}
