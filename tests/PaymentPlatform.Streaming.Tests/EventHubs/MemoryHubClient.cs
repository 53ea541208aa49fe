using PaymentPlatform.Streaming.EventHubs;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

/// <summary>One process's client of a <see cref="MemoryHub"/>; of none when the address leads nowhere.</summary>
internal sealed class MemoryHubClient(MemoryHub? hub, IReadOnlyDictionary<string, MemoryHub>? others = null, HubAddress? address = null) : HubClient
{
    public override HubAddress Address { get; } = address ?? HubAddress.Parse("Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;EntityPath=payments", "payments");

    public override async Task<HubProperties> GetPropertiesAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        return new(Hub().CreatedOn, Hub().Partitions);
    }

    public override async Task<HubPartition> GetPartitionAsync(int partition, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return Hub().Describe(partition);
    }

    public override HubReceiver OpenReceiver(string consumerGroup, int partition, long? after, bool isExclusive) => new MemoryReceiver(Hub(), consumerGroup, partition, after, isExclusive);

    public override ValueTask<HubBatch> CreateBatchAsync(int partition, CancellationToken cancellationToken)
    {
        Hub();
        return ValueTask.FromResult<HubBatch>(new MemoryBatch(partition));
    }

    public override async Task SendAsync(HubBatch batch, CancellationToken cancellationToken)
    {
        var cuts = Hub().Cuts;
        await Task.Delay(1, cancellationToken);
        var (partition, events) = (MemoryBatch)batch;
        var isCut = hub!.Cuts != cuts;
        // Half of the cuts come before the service has the batch, half before its answer is here.
        if (!isCut || cuts % 2 == 0)
            hub.Append(partition, events);
        if (isCut)
            throw new HubException(HubFault.Transient, "the connection was cut");
    }

    public override HubClient OpenOther(string hub) => new MemoryHubClient(others?.GetValueOrDefault(hub), address: Address.For(hub));

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private MemoryHub Hub() => hub is { Fault: null } ? hub : throw new HubException(hub?.Fault ?? HubFault.Transient, "connection refused");
}
