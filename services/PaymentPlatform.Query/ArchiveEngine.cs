using DuckDB.NET.Data;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.Query;

/// <summary>
/// The one DuckDB instance: in memory, with its own memory limit, and without a way out: no extension is loaded, no file outside the cache is read, and the settings are locked.
/// </summary>
public sealed class ArchiveEngine : IDisposable
{
    private readonly DuckDBConnection _root;
    private readonly SemaphoreSlim _queries;
    private readonly SemaphoreSlim _exports;
    private readonly TimeSpan _queueTimeout;

    public ArchiveEngine(ArchiveFileCache cache, IOptions<QueryOptions> options)
    {
        _queries = new(options.Value.ConcurrentQueries);
        _exports = new(options.Value.ConcurrentExports);
        _queueTimeout = options.Value.QueueTimeout;
        var spill = System.IO.Path.Combine(cache.Directory.Temp, "spill");
        _root = new("Data Source=:memory:");
        _root.Open();
        foreach (var setting in (string[])
        [
            $"memory_limit = '{options.Value.EngineMemory} bytes'",
            $"threads = {options.Value.EngineThreads}",
            $"temp_directory = '{Quote(spill)}'",
            $"max_temp_directory_size = '{options.Value.SpillBytes} bytes'",
            "TimeZone = 'UTC'",
            // Copies never change. The cache counts as memory and gives way to queries.
            "parquet_metadata_cache = true",
            "autoload_known_extensions = false",
            "autoinstall_known_extensions = false",
            $"allowed_directories = ['{Quote(cache.Directory.Files)}', '{Quote(cache.Directory.Temp)}']",
            "enable_external_access = false",
            "lock_configuration = true",
        ])
        {
            using var command = _root.CreateCommand();
            command.CommandText = "SET " + setting;
            command.ExecuteNonQuery();
        }
    }

    /// <summary>Waits for a turn; disposing gives it back.</summary>
    /// <param name="export">True for an answer of any length, which lasts as long as its reader takes.</param>
    /// <exception cref="EngineBusyException">No turn within <see cref="QueryOptions.QueueTimeout"/>.</exception>
    public async Task<IDisposable> EnterAsync(bool export, CancellationToken cancellationToken)
    {
        var turns = export ? _exports : _queries;
        if (!await turns.WaitAsync(_queueTimeout, cancellationToken))
            throw new EngineBusyException(_queueTimeout);
        return new Turn(turns);
    }

    public DuckDBConnection OpenConnection()
    {
        // Duplicate() counts references to the instance without a lock.
        lock (_root)
        {
            var connection = _root.Duplicate();
            connection.Open();
            return connection;
        }
    }

    public void Dispose() => _root.Dispose();

    /// <summary>Settings take no parameters; the paths come from the operator.</summary>
    private static string Quote(string text) => text.Replace("'", "''", StringComparison.Ordinal);

    private sealed class Turn(SemaphoreSlim turns) : IDisposable
    {
        private SemaphoreSlim? _turns = turns;

        public void Dispose() => Interlocked.Exchange(ref _turns, null)?.Release();
    }
}
