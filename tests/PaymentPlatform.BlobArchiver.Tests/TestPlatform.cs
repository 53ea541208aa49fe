using System.Text;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>One database, one stream and one container of their own, a publisher, and any number of archivers.</summary>
internal sealed class TestPlatform : IAsyncDisposable
{
    private readonly PlatformFixture _fixture;
    private readonly string _connectionString;
    private readonly Dictionary<string, string?> _settings;
    private readonly List<TestArchiver> _archivers = [];
    private readonly IHost _producer;

    private TestPlatform(PlatformFixture fixture, string connectionString, int partitions)
    {
        _fixture = fixture;
        _connectionString = connectionString;
        Database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 8, ApplicationName = "test" }.ConnectionString);
        var container = $"raw-events-{new NpgsqlConnectionStringBuilder(connectionString).Database!.Replace('_', '-')}";
        Container = new BlobServiceClient(fixture.BlobConnectionString, new BlobClientOptions(BlobClientOptions.ServiceVersion.V2025_01_05)).GetBlobContainerClient(container);
        _settings = new()
        {
            ["ConnectionStrings:paymentsdb"] = connectionString,
            ["ConnectionStrings:blobs"] = fixture.BlobConnectionString,
            ["Storage:Container"] = container,
            ["Storage:MinPoolSize"] = "0",
            ["Streaming:Partitions"] = partitions.ToString(),
            ["Streaming:LeaseDuration"] = "00:00:03",
            ["Archiver:FlushAge"] = "00:00:00.200",
            ["Archiver:MaxRetryDelay"] = "00:00:00.300",
            ["Archiver:PendingTimeout"] = "00:00:30",
        };
        _producer = BuildHost("producer", [], builder => builder.AddStreaming(), null, null);
        // Unmasked: what comes over a broker.
        Publisher = _producer.Services.GetInspectedPublisher();
    }

    public NpgsqlDataSource Database { get; }

    public BlobContainerClient Container { get; }

    public MessagePublisher Publisher { get; }

    public static async Task<TestPlatform> CreateAsync(PlatformFixture fixture, int partitions = 4)
    {
        var platform = new TestPlatform(fixture, await fixture.CreateDatabaseAsync(), partitions);
        await platform._producer.StartAsync();
        // Retention of the stream and the reading group are there from the start.
        await platform.ExecuteAsync("INSERT INTO stream_groups (consumer_group, stream) VALUES ('archiver', 'payments') ON CONFLICT DO NOTHING");
        return platform;
    }

    /// <param name="settings">Name and value, in turn; names without a section are of section Archiver.</param>
    public async Task<TestArchiver> StartArchiverAsync(Action<TestArchiver>? configure = null, params (string Name, string Value)[] settings)
    {
        var archiver = new TestArchiver();
        configure?.Invoke(archiver);
        archiver.Host = BuildHost(
            "archiver", settings.Select(s => KeyValuePair.Create(s.Name.Contains(':') ? s.Name : $"Archiver:{s.Name}", (string?)s.Value)),
            builder =>
            {
                builder.AddBlobArchiver();
                builder.Services.AddSingleton(archiver.Probe);
                if (archiver.ReadsIdentities)
                    IdentityConsumer.AddTo(builder);
                var options = new BlobClientOptions(BlobClientOptions.ServiceVersion.V2025_01_05) { Retry = { MaxRetries = archiver.BlobRetries, Delay = TimeSpan.FromMilliseconds(20), NetworkTimeout = TimeSpan.FromSeconds(20) } };
                options.AddPolicy(archiver.BlobFaults, Azure.Core.HttpPipelinePosition.PerRetry);
                builder.Services.AddSingleton(new BlobServiceClient(_fixture.BlobConnectionString, options));
            },
            archiver.Log, archiver.DatabaseConnectionString);
        await archiver.Host.StartAsync();
        lock (_archivers)
            _archivers.Add(archiver);
        return archiver;
    }

    public string ConnectionString => _connectionString;

    /// <summary>Publishes valid events <c>tx-first</c> to <c>tx-(first+count-1)</c>, spread over the partitions.</summary>
    public Task PublishAsync(int first, int count, int bytes = 0) =>
        PublishAsync(Enumerable.Range(first, count).Select(i => ($"m-{i}", TestEvents.Json($"tx-{i}", bytes), $"k-{i}", MessageHeaders.Empty)));

    public async Task PublishAsync(IEnumerable<(string Id, string Body, string Key, MessageHeaders Headers)> messages)
    {
        foreach (var chunk in messages.Chunk(500))
        {
            await Publisher.PublishAsync(
                chunk.Select(m => new Message(Encoding.UTF8.GetBytes(m.Body), Encoding.UTF8.GetBytes(m.Id), default, Encoding.UTF8.GetBytes(m.Key), m.Headers)).ToArray(), [], CancellationToken.None);
        }
    }

    public async Task<long> CountAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync());
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public Task<long> CountArchivedAsync() => CountAsync("SELECT coalesce(sum(row_count), 0) FROM raw_event_files WHERE state = 'live'");

    public Task<long> CountFilesAsync(string state) => CountAsync($"SELECT count(*) FROM raw_event_files WHERE state = '{state}'");

    public Task WaitForArchivedAsync(long events) => Eventually.TrueAsync(async () => await CountArchivedAsync() >= events, $"{events} events in live files", TimeSpan.FromMinutes(3));

    public async ValueTask DisposeAsync()
    {
        foreach (var archiver in _archivers)
            await archiver.DisposeAsync();
        await _producer.StopAsync();
        _producer.Dispose();
        await Database.DisposeAsync();
    }

    private IHost BuildHost(string name, IEnumerable<KeyValuePair<string, string?>> settings, Action<IHostApplicationBuilder> add, ILoggerProvider? log, string? connectionString)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = name });
        builder.Configuration.AddInMemoryCollection(_settings);
        builder.Configuration.AddInMemoryCollection(settings);
        if (connectionString is not null)
            builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:paymentsdb", connectionString)]);
        if (log is not null)
            builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Information);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(60));
        add(builder);
        return builder.Build();
    }
}
