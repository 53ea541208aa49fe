using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.Leasing;
using PaymentPlatform.Streaming.Postgres;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Postgres;

/// <summary>A database of its own; each publisher and each consumer factory has a pool of its own, as in another process.</summary>
public sealed class PostgresStreamFixture : StreamFixture
{
    private readonly List<NpgsqlDataSource> _pools = [];
    private readonly List<StreamSignals> _signals = [];

    private PostgresStreamFixture(string connectionString)
    {
        ConnectionString = connectionString;
        Database = Pool();
        Admin = new(Database);
    }

    public string ConnectionString { get; }

    /// <summary>For looking behind the scenes.</summary>
    public NpgsqlDataSource Database { get; }

    internal PostgresStreamAdmin Admin { get; }

    public StreamingOptions Options { get; } = new() { Stream = "payments", Partitions = Partitions, LeaseDuration = TimeSpan.FromSeconds(2), Retention = TimeSpan.FromHours(1) };

    public StreamingTelemetry Telemetry { get; } = new();

    public static async Task<PostgresStreamFixture> CreateAsync(PlatformFixture platform)
    {
        var fixture = new PostgresStreamFixture(await platform.CreateDatabaseAsync());
        await fixture.Admin.CreateAsync(fixture.Options.Stream, Partitions, TestContext.Current.CancellationToken);
        return fixture;
    }

    public override async Task RecreateAsync()
    {
        await Admin.DropAsync(Options.Stream, TestContext.Current.CancellationToken);
        await Admin.CreateAsync(Options.Stream, Partitions, TestContext.Current.CancellationToken);
    }

    public override MessagePublisher CreatePublisher() => Publisher(Pool("publisher"));

    public override MessageConsumerFactory CreateConsumers() => Consumers(Pool("consumer"));

    public override (MessagePublisher Publisher, MessageConsumerFactory Consumers, string Address) CreateUnreachable()
    {
        var pool = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Database=nowhere;Username=nobody;Timeout=5");
        _pools.Add(pool);
        return (Publisher(pool), Consumers(pool), "127.0.0.1:1");
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

    public override Task CutPublishersAsync() => CutAsync("publisher");

    /// <param name="application">publisher or consumer.</param>
    public Task CutAsync(string application, string queryLike = "%") => ExecuteAsync(
        $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{application}' AND query LIKE '{queryLike}'");

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    internal StreamRetention Retention() => new(Database, Microsoft.Extensions.Options.Options.Create(Options));

    public override async ValueTask DisposeAsync()
    {
        foreach (var signals in _signals)
            await signals.DisposeAsync();
        foreach (var pool in _pools)
            await pool.DisposeAsync();
        Telemetry.Dispose();
    }

    private NpgsqlDataSource Pool(string application = "test")
    {
        var pool = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(ConnectionString) { MaxPoolSize = 10, ApplicationName = application, NoResetOnClose = true, MaxAutoPrepare = 40, AutoPrepareMinUsages = 3 }.ConnectionString);
        _pools.Add(pool);
        return pool;
    }

    private PostgresMessagePublisher Publisher(NpgsqlDataSource pool)
    {
        var options = Microsoft.Extensions.Options.Options.Create(Options);
        return new(pool, new PostgresStreamTopology(pool, options), options, Telemetry, TimeProvider.System, NullLogger<PostgresMessagePublisher>.Instance);
    }

    private PostgresMessageConsumerFactory Consumers(NpgsqlDataSource pool)
    {
        var options = Microsoft.Extensions.Options.Options.Create(Options);
        var signals = new StreamSignals(pool, TimeProvider.System, NullLogger<StreamSignals>.Instance);
        _signals.Add(signals);
        return new(pool, new PostgresStreamTopology(pool, options), signals, options, Telemetry, TimeProvider.System, NullLoggerFactory.Instance);
    }
}
