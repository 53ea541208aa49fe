using PaymentPlatform.Streaming.EventHubs;

namespace PaymentPlatform.AppHost.Tests.EventHubs;

/// <summary>Reads as other groups than it is told to: the emulator has those that it was started with, and the suite has many.</summary>
internal sealed class RegroupingHubClient(HubClient inner, Func<string, string> groupOf) : HubClient
{
    public override HubAddress Address => inner.Address;

    public override Task<HubProperties> GetPropertiesAsync(CancellationToken cancellationToken) => inner.GetPropertiesAsync(cancellationToken);

    public override Task<HubPartition> GetPartitionAsync(int partition, CancellationToken cancellationToken) => inner.GetPartitionAsync(partition, cancellationToken);

    public override HubReceiver OpenReceiver(string consumerGroup, int partition, long? after, bool isExclusive) =>
        inner.OpenReceiver(isExclusive ? groupOf(consumerGroup) : consumerGroup, partition, after, isExclusive);

    public override ValueTask<HubBatch> CreateBatchAsync(int partition, CancellationToken cancellationToken) => inner.CreateBatchAsync(partition, cancellationToken);

    public override Task SendAsync(HubBatch batch, CancellationToken cancellationToken) => inner.SendAsync(batch, cancellationToken);

    public override HubClient OpenOther(string hub) => new RegroupingHubClient(inner.OpenOther(hub), groupOf);

    public override ValueTask DisposeAsync() => inner.DisposeAsync();
}
