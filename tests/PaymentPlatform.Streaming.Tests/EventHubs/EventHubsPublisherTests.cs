using PaymentPlatform.Streaming.EventHubs;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

public sealed class EventHubsPublisherTests(PlatformFixture platform) : IAsyncLifetime
{
    private MemoryHubFixture _fixture = null!;

    public async ValueTask InitializeAsync() => _fixture = await MemoryHubFixture.CreateAsync(platform);

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task Publish_Keys_LieWhereTheServiceWouldPutThem()
    {
        await using var publisher = _fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Numbered(0, 200));

        await using var reader = await TestReader.CreateAsync(_fixture, "g");
        await reader.UntilSeenAsync(200);

        Assert.All(reader.Seen, m => Assert.Equal(HubPartitioner.PartitionOf(System.Text.Encoding.UTF8.GetBytes(m.Key), StreamFixture.Partitions), m.Partition.PartitionId));
    }

    [Fact]
    public async Task Publish_MoreThanABatchHolds_KeepsTheOrderOfEachKey()
    {
        await using var publisher = _fixture.CreatePublisher();
        var body = new byte[300_000];
        await publisher.PublishAsync([.. Enumerable.Range(0, 20).Select(i => Messages.Of(body, key: "one", id: $"{i}"))]);

        await using var reader = await TestReader.CreateAsync(_fixture, "g");
        await reader.UntilSeenAsync(20);

        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), reader.Seen.Select(m => m.MessageId));
    }

    [Fact]
    public async Task Publish_MessageThatFitsInNoBatch_ThrowsAndSendsNothing()
    {
        await using var publisher = _fixture.CreatePublisher();

        var error = await Assert.ThrowsAsync<MessageTooLargeException>(async () =>
            await publisher.PublishAsync(Messages.Of("small", key: "a"), Messages.Of("small", key: "b"), Messages.Of(new byte[MemoryHub.MaxBatchBytes], key: "c")));

        Assert.Equal((MemoryHub.MaxBatchBytes, MemoryHub.MaxBatchBytes, 2), (error.Size, error.Limit, error.Index));
        Assert.All(Enumerable.Range(0, StreamFixture.Partitions), p => Assert.Equal(0, _fixture.Hub.Describe(p).NextOffset));
    }
}
