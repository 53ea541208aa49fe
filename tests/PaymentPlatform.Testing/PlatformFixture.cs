using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.LocalInfrastructure;
using PaymentPlatform.Storage.Database;
using Xunit;

namespace PaymentPlatform.Testing;

/// <summary>
/// Real PostgreSQL and Azurite for a test assembly: <c>[assembly: AssemblyFixture(typeof(PlatformFixture))]</c>.
/// Both live in a temporary folder that goes away at the end.
/// </summary>
public sealed class PlatformFixture : IAsyncLifetime
{
    private const string Template = "migrated_template";

    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"payment-platform-test-{Guid.NewGuid():N}");
    private readonly SemaphoreSlim _creating = new(1, 1);
    private readonly List<NpgsqlDataSource> _dataSources = [];
    private LocalPlatform? _platform;
    private bool _templateExists;
    private int _databases;

    /// <summary>Azurite, in Azure Storage form.</summary>
    public string BlobConnectionString => Platform.BlobConnectionString;

    /// <summary>The server's own database; for administration only.</summary>
    public string AdminConnectionString => new NpgsqlConnectionStringBuilder(Platform.DatabaseConnectionString) { Database = "postgres", Pooling = false }.ConnectionString;

    private LocalPlatform Platform => _platform ?? throw new InvalidOperationException("The fixture has not started.");

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_directory);
        _platform = await LocalPlatform.StartAsync(new() { DataDirectory = _directory, MaxConnections = 400 }, CancellationToken.None);
    }

    /// <summary>A fresh database of its own; the connection string's pool is the caller's to close (or dies with the server).</summary>
    /// <param name="migrate">With all migrations, else empty.</param>
    public async Task<string> CreateDatabaseAsync(bool migrate = true)
    {
        // A template can't be copied while somebody is connected to it, and one copy at a time is what PostgreSQL does anyway.
        await _creating.WaitAsync();
        try
        {
            if (migrate && !_templateExists)
            {
                await ExecuteAsync($"CREATE DATABASE {Template}");
                await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Platform.DatabaseConnectionString) { Database = Template, Pooling = true, MaxPoolSize = 4 }.ConnectionString);
                await DatabaseMigrator.MigrateAsync(source, NullLogger.Instance, CancellationToken.None);
                _templateExists = true;
            }

            var name = $"test_{++_databases}";
            await ExecuteAsync(migrate ? $"CREATE DATABASE {name} TEMPLATE {Template}" : $"CREATE DATABASE {name}");
            return new NpgsqlConnectionStringBuilder(Platform.DatabaseConnectionString) { Database = name }.ConnectionString;
        }
        finally
        {
            _creating.Release();
        }
    }

    /// <summary>Drops a database that <see cref="CreateDatabaseAsync"/> made, and ends whatever is connected to it.</summary>
    public Task DropDatabaseAsync(string connectionString) => ExecuteAsync($"DROP DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)");

    /// <summary>A pool of its own on the database, and the blob container (made when missing).</summary>
    /// <param name="container">Default: one per database, so that every call for a database meets the same blobs.</param>
    public HybridConnectionManager Connect(string databaseConnectionString, string? container = null, HybridConnectionOptions? options = null)
    {
        var effective = options ?? new HybridConnectionOptions { MinPoolSize = 0 };
        var database = new NpgsqlConnectionStringBuilder(databaseConnectionString)
        {
            MinPoolSize = effective.MinPoolSize,
            MaxPoolSize = effective.MaxPoolSize,
            Timeout = (int)effective.ConnectTimeout.TotalSeconds,
            CommandTimeout = (int)effective.CommandTimeout.TotalSeconds,
            NoResetOnClose = true,
        };
        effective.Container = container ?? $"raw-events-{database.Database!.Replace('_', '-')}";
        var source = NpgsqlDataSource.Create(database.ConnectionString);
        lock (_dataSources)
            _dataSources.Add(source);
        var manager = new HybridConnectionManager(
            source, new(() => new BlobServiceClient(BlobConnectionString, new BlobClientOptions(BlobClientOptions.ServiceVersion.V2025_01_05))), Options.Create(effective), TimeProvider.System, NullLogger<HybridConnectionManager>.Instance);
        manager.RawEvents.CreateIfNotExists();
        return manager;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in _dataSources)
            await source.DisposeAsync();
        if (_platform is not null)
            await _platform.DisposeAsync();
        _creating.Dispose();
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
