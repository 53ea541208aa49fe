using PaymentPlatform.Streaming.EventHubs;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

/// <summary>Reads a <see cref="MemoryHub"/>'s partition.</summary>
internal sealed class MemoryReceiver(MemoryHub hub, string group, int partition, long? after, bool isExclusive) : HubReceiver
{
    private long _after = after ?? -1;
    private int _incarnation = -1;

    public string Group => group;

    public int Partition => partition;

    public long? After => after;

    public bool IsExclusive => isExclusive;

    public override async Task<IReadOnlyList<HubEvent>> ReceiveAsync(int maximum, TimeSpan wait, CancellationToken cancellationToken)
    {
        await Task.Yield();
        if (_incarnation < 0)
        {
            hub.Connect(this);
            _incarnation = hub.Incarnation;
        }

        var until = DateTimeOffset.UtcNow + wait;
        while (true)
        {
            if (hub.Fault is { } fault)
                throw new HubException(fault, "the hub is gone");
            if (hub.Incarnation != _incarnation)
                throw new HubException(HubFault.Transient, "the link was closed");
            var (events, changed) = hub.Read(this, _after, maximum);
            if (events.Count > 0)
            {
                _after = events[^1].SequenceNumber;
                return events;
            }

            if (DateTimeOffset.UtcNow >= until)
                return [];
            await Task.WhenAny(changed, Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public override ValueTask DisposeAsync()
    {
        hub.Disconnect(this);
        return ValueTask.CompletedTask;
    }
}
