using System.Security.Cryptography;
using System.Text.Json;
using DuckDB.NET.Data;
using Npgsql;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Query.Tests;

/// <summary>Writes Parquet files with DuckDB (not with our own writer), their blobs and their manifest rows.</summary>
public sealed class TestArchive(HybridConnectionManager connections) : IDisposable
{
    private const string FromJson = """
        SELECT transaction_id, make_timestamp(transaction_timestamp) AS transaction_timestamp, amount::DECIMAL(19, 4) AS amount, currency, payment_method, payment_status,
          customer_id, NULL::VARCHAR AS customer_email, NULL::VARCHAR AS customer_country, merchant_id, merchant_name, NULL::VARCHAR AS merchant_category,
          NULL::VARCHAR AS transaction_type, NULL::VARCHAR AS channel, NULL::VARCHAR AS device_type, NULL::VARCHAR AS correlation_id, metadata, compliance_violations, NULL::VARCHAR AS violation_severity,
          message_id, 'payments' AS stream, stream_log_id, stream_partition, stream_offset, make_timestamp(enqueued_at) AS enqueued_at, make_timestamp(enqueued_at + 5000000) AS archived_at,
          is_valid, errors, origin, origin_id, duplicate, from_base64(raw_payload) AS raw_payload
        FROM read_json($path, format = 'newline_delimited', maximum_object_size = 100000000, columns = {
          transaction_id: 'VARCHAR', transaction_timestamp: 'BIGINT', amount: 'VARCHAR', currency: 'VARCHAR', payment_method: 'VARCHAR', payment_status: 'VARCHAR', customer_id: 'VARCHAR', merchant_id: 'VARCHAR',
          merchant_name: 'VARCHAR', metadata: 'VARCHAR', compliance_violations: 'VARCHAR', message_id: 'VARCHAR', stream_log_id: 'VARCHAR', stream_partition: 'INTEGER', stream_offset: 'BIGINT', enqueued_at: 'BIGINT',
          is_valid: 'BOOLEAN', errors: 'VARCHAR', origin: 'VARCHAR', origin_id: 'VARCHAR', duplicate: 'BOOLEAN', raw_payload: 'VARCHAR'})
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("query-test-archive-").FullName;
    private string _state = "live";

    /// <returns>The blob's name.</returns>
    public async Task<string> AddFileAsync(params IReadOnlyList<TestEvent> events)
    {
        var json = Path.Combine(_directory, $"{Guid.NewGuid():N}.json");
        await File.WriteAllLinesAsync(json, events.Select(e => JsonSerializer.Serialize(e)));
        return await AddFileAsync(FromJson, events.Min(e => e.Time), events.Max(e => e.Time), events.Min(e => e.EnqueuedAt), events.Max(e => e.EnqueuedAt), events.Count, events.Count(e => e.IsValid), json);
    }

    /// <summary>A file of whatever the SQL selects.</summary>
    public async Task<string> AddFileAsync(string sql, long? min, long? max, long minEnqueued, long maxEnqueued, long rows, long validRows, string? path = null)
    {
        var parquet = Path.Combine(_directory, $"{Guid.NewGuid():N}.parquet");
        using (var connection = new DuckDBConnection("Data Source=:memory:"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"COPY ({sql}) TO '{parquet}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)";
            if (path is not null)
                command.Parameters.Add(new DuckDBParameter("path", path));
            command.ExecuteNonQuery();
        }

        return await AddParquetAsync(await File.ReadAllBytesAsync(parquet), min, max, minEnqueued, maxEnqueued, rows, validRows);
    }

    public async Task<string> AddParquetAsync(byte[] bytes, long? min, long? max, long minEnqueued, long maxEnqueued, long rows, long validRows)
    {
        var id = Guid.CreateVersion7();
        var name = $"raw_events/yyyy=2026/mm=01/dd=01/hh=00/{id:D}.parquet";
        await connections.RawEvents.GetBlobClient(name).UploadAsync(new BinaryData(bytes));
        await using var insert = connections.Database.CreateCommand(
            """
            INSERT INTO raw_event_files (file_id, blob_name, state, owner, archived_at, row_count, valid_count, byte_size, sha256, min_transaction_timestamp, max_transaction_timestamp, min_enqueued_at, max_enqueued_at)
            VALUES ($1, $2, $11, 'test', now(), $3, $4, $5, $6, $7, $8, $9, $10)
            """);
        insert.Parameters.Add(new() { Value = id });
        insert.Parameters.Add(new() { Value = name });
        insert.Parameters.Add(new() { Value = rows });
        insert.Parameters.Add(new() { Value = validRows });
        insert.Parameters.Add(new() { Value = (long)bytes.Length });
        insert.Parameters.Add(new() { Value = SHA256.HashData(bytes) });
        foreach (var time in (long?[])[min, max, minEnqueued, maxEnqueued])
            insert.Parameters.Add(new() { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz, Value = time is { } micros ? Timestamps.ToDateTime(micros) : DBNull.Value });
        insert.Parameters.Add(new() { Value = _state });
        await insert.ExecuteNonQueryAsync();
        return name;
    }

    /// <summary>Writes a file's events again, into another file that takes its place in one transaction.</summary>
    public async Task ReplaceAsync(string blobName, IReadOnlyList<TestEvent> events)
    {
        _state = "pending";
        var name = await AddFileAsync(events);
        _state = "live";
        await ExecuteAsync(
            "UPDATE raw_event_files SET state = CASE blob_name WHEN $1 THEN 'superseded' ELSE 'live' END WHERE blob_name IN ($1, $2)",
            new() { Value = blobName }, new() { Value = name });
    }

    public async Task ExecuteAsync(string sql, params NpgsqlParameter[] parameters)
    {
        await using var command = connections.Database.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync();
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
