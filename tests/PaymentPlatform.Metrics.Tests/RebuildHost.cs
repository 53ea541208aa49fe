using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

/// <summary>The metrics service over a database and a container of its own, with archived events that rebuilds read.</summary>
internal sealed class RebuildHost : IAsyncDisposable
{
    private readonly HybridConnectionManager _connections;
    private IHost? _host;

    private RebuildHost(MetricsDatabase database, HybridConnectionManager connections) => (Database, _connections) = (database, connections);

    public MetricsDatabase Database { get; }

    public LogCollector Log { get; } = new();

    /// <summary>Without the service: <see cref="StartAsync"/> starts it.</summary>
    public static async Task<RebuildHost> CreateAsync(PlatformFixture platform)
    {
        var database = await MetricsDatabase.CreateAsync(platform);
        return new(database, platform.Connect(database.ConnectionString));
    }

    /// <summary>Stops it when it runs already: as a restart does.</summary>
    public async Task StartAsync(PlatformFixture platform, params (string Key, string Value)[] settings)
    {
        await StopAsync();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().AddProvider(Log);
        builder.Configuration["ConnectionStrings:paymentsdb"] = Database.ConnectionString;
        builder.Configuration["ConnectionStrings:blobs"] = platform.BlobConnectionString;
        builder.Configuration["Storage:Container"] = _connections.RawEvents.Name;
        foreach (var (key, value) in settings)
            builder.Configuration[key] = value;
        builder.AddMetrics();
        _host = builder.Build();
        await _host.StartAsync(CancellationToken.None);
    }

    /// <summary>A file of a partition's events at offsets from <paramref name="first"/> on; metrics has committed them. All are archived as valid.</summary>
    public async Task ArchiveAsync(int partition, long first, IReadOnlyList<byte[]> payloads)
    {
        var at = new StreamPartition("payments", "log-1", partition);
        var id = Guid.CreateVersion7();
        var name = ArchiveFileName.Create(id, TestEvents.EnqueuedMicros);
        var parser = new TransactionParser(new() { CardData = CardDataMode.Mask });
        using var buffer = new RawEventBuffer();
        foreach (var (i, payload) in payloads.Index())
        {
            buffer.Append(new()
            {
                Partition = at, Offset = first + i, EnqueuedAtMicros = TestEvents.EnqueuedMicros, MessageId = Guid.NewGuid().ToByteArray(), CorrelationId = default, RawPayload = payload,
                Transaction = parser.Parse(payload, TestEvents.EnqueuedMicros).Transaction, Errors = [],
            });
        }

        using var file = ParquetSerializer.Serialize(buffer, TestEvents.EnqueuedMicros);
        await _connections.RawEvents.GetBlobClient(name).UploadAsync(file.OpenRead());
        await using var connection = await _connections.Database.OpenConnectionAsync();
        await ArchiveManifest.InsertPendingAsync(connection, id, name, "test", CancellationToken.None);
        await using var transaction = await connection.BeginTransactionAsync();
        OffsetRange[] ranges = [new(at, first, first + payloads.Count)];
        await ArchiveManifest.MakeLiveAsync(transaction, ManifestEntry.Create(id, name, TestEvents.EnqueuedMicros, buffer, file), ranges, CancellationToken.None);
        await CheckpointStore.GetOrCreateAsync(connection, MetricsWriter.ConsumerGroup, at, first, CancellationToken.None);
        await CheckpointStore.AdvanceAsync(transaction, MetricsWriter.ConsumerGroup, ranges, CancellationToken.None);
        await transaction.CommitAsync();
    }

    /// <summary>Of the days around <see cref="TestEvents.Enqueued"/>.</summary>
    /// <returns>The rebuild's id.</returns>
    public async Task<long> AskAsync()
    {
        await using var command = _connections.Database.CreateCommand("INSERT INTO metric_rebuilds (range_from, range_to, requested_by) VALUES ($1, $2, 'test') RETURNING id");
        command.Parameters.Add(new() { Value = TestEvents.Enqueued.AddDays(-10).UtcDateTime });
        command.Parameters.Add(new() { Value = TestEvents.Enqueued.AddDays(1).UtcDateTime });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = _connections.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql) => (await Database.QueryAsync(sql, r => r.GetFieldValue<T>(0))).Single();

    public Task<string> StateAsync(long id) => ScalarAsync<string>($"SELECT state FROM metric_rebuilds WHERE id = {id}");

    public Task IsAsync(long id, string state) => Eventually.TrueAsync(async () => await StateAsync(id) == state, $"rebuild {id} is {state}");

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Database.DisposeAsync();
    }

    private async Task StopAsync()
    {
        if (_host is null)
            return;
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
        _host = null;
    }
}
