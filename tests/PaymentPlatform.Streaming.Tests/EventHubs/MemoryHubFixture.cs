using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.EventHubs;
using PaymentPlatform.Streaming.Leasing;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

/// <summary>A hub in memory and a database of its own; each publisher and each consumer factory has a pool and a client of its own, as in another process.</summary>
public sealed class MemoryHubFixture : StreamFixture
{
    private readonly string _connectionString;
    private readonly List<IAsyncDisposable> _owned = [];

    private MemoryHubFixture(string connectionString)
    {
        _connectionString = connectionString;
        Database = Own(NpgsqlDataSource.Create(connectionString));
    }

    public override int LargestBody => 1_000_000;

    public override bool TakesCallsWhole => false;

    internal MemoryHub Hub { get; } = new(Partitions);

    internal NpgsqlDataSource Database { get; }

    internal StreamingOptions Options { get; } = new() { Transport = "EventHubs", Stream = "payments", LeaseDuration = TimeSpan.FromSeconds(2) };

    internal StreamingTelemetry Telemetry { get; } = new();

    public static async Task<MemoryHubFixture> CreateAsync(PlatformFixture platform) => new(await platform.CreateDatabaseAsync());

    public override Task RecreateAsync()
    {
        Hub.Recreate();
        return Task.CompletedTask;
    }

    public override MessagePublisher CreatePublisher() => Publisher(Connect(Hub));

    public override MessageConsumerFactory CreateConsumers() => Consumers(Connect(Hub));

    public override (MessagePublisher Publisher, MessageConsumerFactory Consumers, string Address) CreateUnreachable()
    {
        var nowhere = Connect(null);
        return (Publisher(nowhere), Consumers(nowhere), "127.0.0.1:1");
    }

    public override async Task<IReadOnlyList<StreamPartition>> CommitAsync(string group, params OffsetRange[] ranges)
    {
        await using var connection = await Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        var stale = await CheckpointStore.AdvanceAsync(transaction, group, ranges, TestContext.Current.CancellationToken);
        if (stale.Count == 0)
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        return stale;
    }

    public override Task CutPublishersAsync()
    {
        Hub.CutSenders();
        return Task.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var owned in Enumerable.Reverse(_owned))
            await owned.DisposeAsync();
        Telemetry.Dispose();
    }

    internal EventHubsRangeReader CreateRangeReader()
    {
        var process = Connect(Hub);
        return new(process.Client, process.Log, process.Topology);
    }

    internal Process Connect(MemoryHub? hub)
    {
        var pool = Own(NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_connectionString) { MaxPoolSize = 10, NoResetOnClose = true }.ConnectionString));
        var options = Microsoft.Extensions.Options.Options.Create(Options);
        var client = Own(new MemoryHubClient(hub));
        var log = new HubLog(client, pool, options, TimeProvider.System, NullLogger<HubLog>.Instance);
        return new(pool, client, log, new(client, log, pool, options));
    }

    private EventHubsPublisher Publisher(Process process) =>
        new(process.Client, process.Topology, process.Pool, Telemetry, TimeProvider.System, NullLogger<EventHubsPublisher>.Instance);

    private EventHubsConsumerFactory Consumers(Process process)
    {
        var signals = Own(new StreamSignals(process.Pool, TimeProvider.System, NullLogger<StreamSignals>.Instance));
        return new(
            process.Client, process.Log, process.Topology, process.Pool, signals, Microsoft.Extensions.Options.Options.Create(Options), Telemetry, TimeProvider.System, NullLoggerFactory.Instance);
    }

    private T Own<T>(T owned) where T : IAsyncDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    internal sealed record Process(NpgsqlDataSource Pool, HubClient Client, HubLog Log, EventHubsTopology Topology);
}
