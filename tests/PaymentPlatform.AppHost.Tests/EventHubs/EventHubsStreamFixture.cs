using Aspire.Hosting.ApplicationModel;
using Azure.Identity;
using Azure.Messaging.EventHubs.Producer;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;
using PaymentPlatform.Streaming.Brokers;
using PaymentPlatform.Streaming.EventHubs;
using PaymentPlatform.Streaming.EventHubs.Client;
using PaymentPlatform.Streaming.Leasing;
using PaymentPlatform.Streaming.Tests;

namespace PaymentPlatform.AppHost.Tests.EventHubs;

/// <summary>
/// The emulator's hub <c>conformance</c> and a database of its own in the AppHost's server. The hub is the same for all tests and can't be emptied: its mirror in the new database says that it begins where it ends now.
/// Each publisher and each consumer factory has clients of its own, as in another process.
/// </summary>
public sealed class EventHubsStreamFixture : StreamFixture
{
    private const string Hub = AppHostFixture.ConformanceHub;
    private const string Emulator = PlatformNames.EventHubs;
    private static readonly string[] s_groups = AppHostFixture.ConformanceGroups;

    private readonly AppHostFixture _platform;
    private readonly string _hubConnection;
    private readonly string _databaseConnection;
    private readonly List<IAsyncDisposable> _owned = [];
    private readonly List<string> _groups = [];
    private readonly NpgsqlDataSource _database;
    private readonly StreamingTelemetry _telemetry = new();
    private readonly Microsoft.Extensions.Options.IOptions<StreamingOptions> _options =
        Microsoft.Extensions.Options.Options.Create(new StreamingOptions { Transport = "EventHubs", Stream = Hub, LeaseDuration = TimeSpan.FromSeconds(2) });

    private EventHubsStreamFixture(AppHostFixture platform, string hubConnection, string databaseConnection)
    {
        (_platform, _hubConnection, _databaseConnection) = (platform, hubConnection, databaseConnection);
        _database = Own(NpgsqlDataSource.Create(databaseConnection));
    }

    /// <summary>The emulator takes 1 MB with everything around it.</summary>
    public override int LargestBody => 1_000_000;

    public override bool TakesCallsWhole => false;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<EventHubsStreamFixture> CreateAsync(AppHostFixture platform)
    {
        var hub = await platform.GetConnectionStringAsync(Hub, Cancellation);
        var server = new NpgsqlConnectionStringBuilder(await platform.GetConnectionStringAsync(PlatformNames.Database, Cancellation));
        var database = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = $"conformance_{Guid.NewGuid():N}", MaxPoolSize = 10, NoResetOnClose = true }.ConnectionString;
        await using (var maintenance = NpgsqlDataSource.Create(server.ConnectionString))
        await using (var create = maintenance.CreateCommand($"CREATE DATABASE {new NpgsqlConnectionStringBuilder(database).Database}"))
            await create.ExecuteNonQueryAsync(Cancellation);
        var fixture = new EventHubsStreamFixture(platform, hub, database);
        await DatabaseMigrator.MigrateAsync(fixture._database, NullLogger.Instance, Cancellation);
        await fixture.BeginAtTheEndAsync();
        return fixture;
    }

    /// <summary>The emulator forgets everything when it is started again.</summary>
    public override async Task RecreateAsync()
    {
        var result = await _platform.App.ResourceCommands.ExecuteCommandAsync(Emulator, KnownResourceCommands.RestartCommand, Cancellation);
        Assert.True(result.Success, "the emulator was not started again");
        await _platform.App.ResourceNotifications.WaitForResourceHealthyAsync(Emulator, Cancellation).WaitAsync(TimeSpan.FromMinutes(3), Cancellation);
    }

    public override MessagePublisher CreatePublisher() => Publisher(Connect(_hubConnection));

    public override MessageConsumerFactory CreateConsumers() => Consumers(Connect(_hubConnection));

    public override (MessagePublisher Publisher, MessageConsumerFactory Consumers, string Address) CreateUnreachable()
    {
        var nowhere = Connect($"Endpoint=sb://localhost:1;SharedAccessKeyName=n;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;EntityPath={Hub}");
        return (Publisher(nowhere), Consumers(nowhere), "localhost:1");
    }

    public override async Task<IReadOnlyList<StreamPartition>> CommitAsync(string group, params OffsetRange[] ranges)
    {
        await using var connection = await _database.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        var stale = await CheckpointStore.AdvanceAsync(transaction, group, ranges, Cancellation);
        if (stale.Count == 0)
            await transaction.CommitAsync(Cancellation);
        return stale;
    }

    public override Task CutPublishersAsync() => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        foreach (var owned in Enumerable.Reverse(_owned))
            await owned.DisposeAsync();
        _telemetry.Dispose();
    }

    private async Task BeginAtTheEndAsync()
    {
        var (_, client, _, _) = Connect(_hubConnection);
        var properties = await client.GetPropertiesAsync(Cancellation);
        Assert.Equal(Partitions, properties.Partitions);
        var partitions = new List<ObservedPartition>();
        for (var i = 0; i < Partitions; i++)
        {
            var held = await client.GetPartitionAsync(i, Cancellation);
            partitions.Add(new(i, held.NextOffset, held.NextOffset));
        }

        await new BrokerLog(_database, Hub, HubLog.Transport).ObserveAsync(HubLogId.Of(properties.CreatedOn), Partitions, partitions, Cancellation);
    }

    private Process Connect(string hubConnection)
    {
        var pool = Own(NpgsqlDataSource.Create(_databaseConnection));
        var address = HubAddress.Parse(hubConnection, Hub);
        var options = new EventHubProducerClientOptions();
        EventHubsExtensions.SetRetries(options);
        var producer = Own(new EventHubProducerClient(hubConnection, address.Hub, options));
        var client = Own(new RegroupingHubClient(new SdkHubClient(producer, address, new DefaultAzureCredential()), GroupOf));
        var log = new HubLog(client, pool, _options, TimeProvider.System, NullLogger<HubLog>.Instance);
        return new(pool, client, log, new(client, log, pool, _options));
    }

    /// <summary>In the order in which a test names its groups.</summary>
    private string GroupOf(string group)
    {
        lock (_groups)
        {
            if (!_groups.Contains(group))
                _groups.Add(group);
            return s_groups[_groups.IndexOf(group) % s_groups.Length];
        }
    }

    private EventHubsPublisher Publisher(Process process) =>
        new(process.Client, process.Topology, process.Pool, _telemetry, TimeProvider.System, NullLogger<EventHubsPublisher>.Instance);

    private EventHubsConsumerFactory Consumers(Process process)
    {
        var signals = Own(new StreamSignals(process.Pool, TimeProvider.System, NullLogger<StreamSignals>.Instance));
        return new(process.Client, process.Log, process.Topology, process.Pool, signals, _options, _telemetry, TimeProvider.System, NullLoggerFactory.Instance);
    }

    private T Own<T>(T owned) where T : IAsyncDisposable
    {
        lock (_owned)
            _owned.Add(owned);
        return owned;
    }

    private sealed record Process(NpgsqlDataSource Pool, HubClient Client, HubLog Log, EventHubsTopology Topology);
}
