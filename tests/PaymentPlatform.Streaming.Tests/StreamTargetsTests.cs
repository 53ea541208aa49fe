using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.EventHubs;
using PaymentPlatform.Streaming.Postgres;
using PaymentPlatform.Streaming.Tests.EventHubs;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests;

public sealed class StreamTargetsTests(PlatformFixture platform)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Open_Postgres_MakesTheStreamWithTheOwnOnesPartitionsAndMasks()
    {
        using var host = await StartAsync(("Streaming:Partitions", "7"));
        await host.Services.GetRequiredService<StreamTopology>().EnsureAsync(Cancellation);
        var targets = host.Services.GetRequiredService<StreamTargets>();

        await using (var publisher = await targets.OpenAsync("other", Cancellation))
            await publisher.PublishAsync(Messages.Of("""{"transaction_id": "t", "note": "4111111111111111"}"""));
        await using (var again = await targets.OpenAsync("other", Cancellation))
            await again.PublishAsync(Messages.Of("x"));

        var admin = new PostgresStreamAdmin(host.Services.GetRequiredService<NpgsqlDataSource>());
        var other = (await admin.DescribeAsync("other", Cancellation))!;
        Assert.Equal((7, 2), (other.Partitions.Count, other.Partitions.Sum(p => p.EndOffset)));
        Assert.Equal(0, (await admin.DescribeAsync("payments", Cancellation))!.Partitions.Sum(p => p.EndOffset));
        var bodies = new List<string>();
        foreach (var partition in other.Partitions)
        {
            await foreach (var batch in host.Services.GetRequiredService<StreamRangeReader>().ReadAsync(new OffsetRange(new("other", other.LogId, partition.PartitionId), 0, partition.EndOffset), Cancellation))
            {
                using (batch)
                    bodies.AddRange(batch.Messages.ToArray().Select(m => m.Message.Body.Text()));
            }
        }

        Assert.Equal(["""{"transaction_id": "t", "note": "411111******1111"}""", "x"], bodies.Order(StringComparer.Ordinal).Reverse());
        Assert.Equal((true, false, false), (targets.IsOwn("payments"), targets.IsOwn("Payments"), targets.IsOwn("other")));
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Open_Kafka_NeedsTheTopic()
    {
        using var broker = new MockKafka();
        using var host = await StartAsync(("Streaming:Transport", "Kafka"), ("ConnectionStrings:payments", broker.Address));
        var targets = host.Services.GetRequiredService<StreamTargets>();

        var missing = await Assert.ThrowsAsync<StreamNotFoundException>(() => targets.OpenAsync("other", Cancellation));
        Assert.Equal($"There is no topic 'other' at the Kafka brokers {broker.Address}: make it, or correct the name.", missing.Message);

        broker.CreateTopic("other", 2);
        await using var publisher = await targets.OpenAsync("other", Cancellation);
        await publisher.PublishAsync(Messages.Of("x", key: "k"));
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Open_EventHubs_NeedsTheHub()
    {
        await using var database = NpgsqlDataSource.Create(await platform.CreateDatabaseAsync());
        using var telemetry = new StreamingTelemetry();
        var there = new MemoryHub(2);
        var own = new MemoryHubClient(new MemoryHub(4), new Dictionary<string, MemoryHub> { ["there"] = there, ["missing"] = new(1) { Fault = HubFault.NotFound }, ["away"] = new(1) { Fault = HubFault.Transient } });
        var targets = new EventHubsStreamTargets(
            own, database, Options.Create(new StreamingOptions { Transport = "EventHubs" }), telemetry, new ConfigurationBuilder().Build(), TimeProvider.System, NullLoggerFactory.Instance);

        await using (var publisher = await targets.OpenAsync("there", Cancellation))
            await publisher.PublishAsync(Messages.Numbered(0, 10));

        Assert.Equal(10, Enumerable.Range(0, 2).Sum(p => there.Describe(p).NextOffset));
        Assert.Contains("hub 'missing' at 127.0.0.1:1", (await Assert.ThrowsAsync<StreamNotFoundException>(() => targets.OpenAsync("missing", Cancellation))).Message);
        Assert.Contains("hub 'away' at 127.0.0.1:1", (await Assert.ThrowsAsync<StreamUnavailableException>(() => targets.OpenAsync("away", Cancellation))).Message);
        Assert.Equal((true, true, false), (targets.IsOwn("payments"), targets.IsOwn("Payments"), targets.IsOwn("there")));
    }

    private async Task<IHost> StartAsync(params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)))
        {
            ["ConnectionStrings:paymentsdb"] = await platform.CreateDatabaseAsync(),
            ["Storage:MinPoolSize"] = "0",
        });
        builder.AddStreaming();
        var host = builder.Build();
        await host.StartAsync(Cancellation);
        return host;
    }
}
