using System.Numerics;
using Azure.Storage.Blobs;
using DuckDB.NET.Data;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>An outsider's view of the archive: the manifest's live names, the blobs, and DuckDB. None of our readers.</summary>
public sealed class Archive : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("archive-").FullName;

    private Archive(DuckDBConnection duckDb) => DuckDb = duckDb;

    /// <summary>Has the view <c>events</c> over all live files.</summary>
    public DuckDBConnection DuckDb { get; }

    public string Files => Path.Combine(_folder, "*.parquet");

    public static async Task<Archive> OpenAsync(PlatformProcess.Connections connections, CancellationToken cancellationToken)
    {
        var archive = new Archive(new DuckDBConnection("DataSource=:memory:"));
        archive.DuckDb.Open();
        var container = new BlobServiceClient(connections.Blobs).GetBlobContainerClient("raw-events");
        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        await using var command = database.CreateCommand("SELECT blob_name FROM raw_event_files WHERE state = 'live'");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var index = 0;
        while (await reader.ReadAsync(cancellationToken))
            await container.GetBlobClient(reader.GetString(0)).DownloadToAsync(Path.Combine(archive._folder, $"{index++}.parquet"), cancellationToken);
        if (index > 0)
            archive.DuckDb.Execute($"CREATE VIEW events AS SELECT * FROM read_parquet('{archive.Files}')");
        return archive;
    }

    public object?[][] Query(string sql) => DuckDb.Query(sql);

    public long Count(string sql) => Query(sql)[0][0] switch
    {
        long value => value,
        int value => value,
        BigInteger value => (long)value,
        var other => throw new InvalidOperationException($"not a count: {other}"),
    };

    /// <summary>Window, method, currency, status, count, amount, min, max: computed from the files alone.</summary>
    public List<string> Figures() =>
        [.. Query("""
            SELECT strftime(time_bucket(INTERVAL '5 minutes', transaction_timestamp::TIMESTAMPTZ AT TIME ZONE 'UTC'), '%Y-%m-%d %H:%M'), payment_method, currency, payment_status,
                   count(*)::VARCHAR, sum(amount)::DECIMAL(38,4)::VARCHAR, min(amount)::VARCHAR, max(amount)::VARCHAR
            FROM events WHERE is_valid AND origin <> 'replay' AND NOT duplicate GROUP BY ALL ORDER BY ALL
            """).Select(row => string.Join('|', row)).Order(StringComparer.Ordinal)];

    /// <summary>The same from the live table.</summary>
    public static async Task<List<string>> LiveFiguresAsync(PlatformProcess.Connections connections, CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        await using var command = database.CreateCommand("""
            SELECT to_char(window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), payment_method, currency, payment_status, total_count::text, total_amount::text, min_amount::text, max_amount::text
            FROM payment_metrics_5m
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(reader.GetString)));
        rows.Sort(StringComparer.Ordinal);
        return rows;
    }

    public void Dispose()
    {
        DuckDb.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
