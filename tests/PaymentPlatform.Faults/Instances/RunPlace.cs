using Azure.Storage.Blobs;
using Npgsql;
using PaymentPlatform.Faults.Proxies;
using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults.Instances;

/// <summary>What all instances of a run share: the database, the container and what is noted about them. The ways here pass no proxy.</summary>
internal sealed record RunPlace(Scenario Scenario, FaultTally Tally, string DatabaseConnectionString, string BlobConnectionString, string Container)
{
    /// <summary>Of the harness's own sessions.</summary>
    public const string ApplicationName = "faults";

    private volatile bool _isDisturbed;
    private int _held;

    /// <summary>Faults come at steps: from the moment at which the instances are at work, to the healing.</summary>
    public bool IsDisturbed
    {
        get => _isDisturbed;
        set => _isDisturbed = value;
    }

    /// <summary>Whoever is paused has woken up, and what came late from there has had its end.</summary>
    public bool IsSettled => Volatile.Read(ref _held) == 0;

    public BlobObserver Observer { get; } = new();

    /// <summary>For files of this run; made by whoever needs it, gone with the run.</summary>
    public string Folder { get; } = Path.Combine(Path.GetTempPath(), $"platform-{Container}");

    public RunLog Log { get; } = new();

    public BlobContainerClient Blobs { get; } = new BlobServiceClient(BlobConnectionString, new BlobClientOptions(BlobClientOptions.ServiceVersion.V2025_01_05)).GetBlobContainerClient(Container);

    public NpgsqlDataSource Database { get; } = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(DatabaseConnectionString) { MaxPoolSize = 6, ApplicationName = ApplicationName }.ConnectionString);

    /// <summary>The run must not be judged before what is returned is disposed.</summary>
    public IDisposable Hold()
    {
        Interlocked.Increment(ref _held);
        return new Held(() => Interlocked.Decrement(ref _held));
    }

    public Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) => WhileRestartingAsync(
        async () =>
        {
            await using var command = Database.CreateCommand(sql);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancellationToken))
                rows.Add(read(reader));
            return rows;
        },
        cancellationToken);

    public Task ExecuteAsync(string sql, CancellationToken cancellationToken) => WhileRestartingAsync(
        async () =>
        {
            await using var command = Database.CreateCommand(sql);
            return await command.ExecuteNonQueryAsync(cancellationToken);
        },
        cancellationToken);

    /// <summary>The server may be restarting: tries until it is back.</summary>
    /// <param name="work">May run again after it failed half-way.</param>
    public static async Task<T> WhileRestartingAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await work();
            }
            catch (NpgsqlException e) when (e is not PostgresException { SqlState: not ['5', '7', ..] } && attempt < 200)
            {
                await Task.Delay(50, cancellationToken);
            }
        }
    }

    private sealed class Held(Action release) : IDisposable
    {
        private Action? _release = release;

        public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
    }
}
