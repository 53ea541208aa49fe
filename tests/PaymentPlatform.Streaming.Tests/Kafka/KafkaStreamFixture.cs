using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.Brokers;
using PaymentPlatform.Streaming.Kafka;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Kafka;

/// <summary>A mock cluster and a database of its own; each publisher and each consumer factory has connections of its own, as in another process.</summary>
public sealed class KafkaStreamFixture : StreamFixture
{
    private static readonly TimeSpan s_impatience = TimeSpan.FromSeconds(1);

    private readonly List<IDisposable> _connections = [];
    private int _cuts;

    private KafkaStreamFixture(string connectionString, bool describesTopics)
    {
        Broker = new(describesTopics);
        Database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 20, NoResetOnClose = true }.ConnectionString);
        if (describesTopics)
            Broker.CreateTopic(Options.Stream, Partitions);
    }

    /// <summary>A call's messages go to several partitions, and Kafka takes those one by one; only transactions, at a cost for every request, would change that.</summary>
    public override bool TakesCallsWhole => false;

    public MockKafka Broker { get; }

    public NpgsqlDataSource Database { get; }

    public TestLogs Loggers { get; } = new();

    public StreamingOptions Options { get; } = new() { Transport = "Kafka", Stream = "payments", Partitions = Partitions, LeaseDuration = TimeSpan.FromSeconds(2) };

    /// <summary>Sessions of two seconds; a broker proper takes no less than six.</summary>
    public KafkaOptions Kafka { get; } = new()
    {
        PublishTimeout = TimeSpan.FromSeconds(30),
        Settings = new()
        {
            ["session.timeout.ms"] = "2000",
            ["heartbeat.interval.ms"] = "100",
            ["reconnect.backoff.ms"] = "20",
            ["reconnect.backoff.max.ms"] = "200",
            ["retry.backoff.ms"] = "20",
        },
    };

    public StreamingTelemetry Telemetry { get; } = new();

    public static async Task<KafkaStreamFixture> CreateAsync(PlatformFixture platform, bool describesTopics = true) => new(await platform.CreateDatabaseAsync(), describesTopics);

    public override Task RecreateAsync()
    {
        Broker.DeleteTopic(Options.Stream);
        Broker.CreateTopic(Options.Stream, Partitions);
        return Task.CompletedTask;
    }

    public override MessagePublisher CreatePublisher() => Publisher(Broker.Address);

    public override MessagePublisher CreateImpatientPublisher() => Publisher(Broker.Address, new() { PublishTimeout = s_impatience, Settings = Kafka.Settings });

    public override MessageConsumerFactory CreateConsumers() => Consumers(Broker.Address);

    public MessageConsumerFactory CreateConsumers(TimeProvider timeProvider) => Consumers(Broker.Address, timeProvider);

    public override (MessagePublisher Publisher, MessageConsumerFactory Consumers, string Address) CreateUnreachable() => (Publisher("127.0.0.1:1"), Consumers("127.0.0.1:1"), "127.0.0.1:1");

    public override async Task<IReadOnlyList<StreamPartition>> CommitAsync(string group, params OffsetRange[] ranges)
    {
        await using var connection = await Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        var stale = await CheckpointStore.AdvanceAsync(transaction, group, ranges, TestContext.Current.CancellationToken);
        if (stale.Count == 0)
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        return stale;
    }

    /// <summary>A cut that is over at once costs nothing but a retry; every fourth lasts longer than an impatient publisher's patience.</summary>
    public override async Task CutPublishersAsync()
    {
        if (++_cuts % 4 != 0)
        {
            Broker.Cut();
            return;
        }

        Broker.Down();
        await Task.Delay(s_impatience * 1.5, TestContext.Current.CancellationToken);
        Broker.Up();
        // A client without any broker looks again once a second.
        await Task.Delay(s_impatience * 1.2, TestContext.Current.CancellationToken);
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public StreamRangeReader CreateRangeReader()
    {
        var (connection, log, _) = Connect(Broker.Address, TimeProvider.System);
        return new KafkaStreamRangeReader(connection, log, Microsoft.Extensions.Options.Options.Create(Options));
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
            connection.Dispose();
        // What happened, for whoever looks at a failure.
        foreach (var line in Loggers.Lines)
            TestContext.Current.TestOutputHelper?.WriteLine(line);
        await Database.DisposeAsync();
        Telemetry.Dispose();
        Broker.Dispose();
    }

    private KafkaMessagePublisher Publisher(string address, KafkaOptions? options = null)
    {
        var (connection, _, topology) = Connect(address, TimeProvider.System, options);
        return new(connection, topology, Database, Microsoft.Extensions.Options.Options.Create(Options), Telemetry, TimeProvider.System);
    }

    private KafkaMessageConsumerFactory Consumers(string address, TimeProvider? timeProvider = null)
    {
        var (connection, log, topology) = Connect(address, timeProvider ?? TimeProvider.System);
        return new(connection, log, topology, Mirror(), Database, Microsoft.Extensions.Options.Options.Create(Options), Telemetry, timeProvider ?? TimeProvider.System, Loggers);
    }

    private BrokerLog Mirror() => new(Database, Options.Stream, "Kafka");

    private (KafkaConnection Connection, KafkaLog Log, KafkaStreamTopology Topology) Connect(string address, TimeProvider timeProvider, KafkaOptions? kafka = null)
    {
        var options = Microsoft.Extensions.Options.Options.Create(Options);
        var connection = new KafkaConnection(new(kafka ?? Kafka, Options, address), Options.Stream, new(timeProvider, Loggers.CreateLogger<StreamOutage>()), Loggers.CreateLogger<KafkaConnection>());
        _connections.Add(connection);
        var log = new KafkaLog(connection, Database, Mirror(), options, Loggers.CreateLogger<KafkaLog>());
        return (connection, log, new(connection, log, Microsoft.Extensions.Options.Options.Create(Kafka), options, timeProvider, Loggers.CreateLogger<KafkaStreamTopology>()));
    }
}
