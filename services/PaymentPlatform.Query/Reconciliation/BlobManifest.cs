using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>Reads the manifest in the order of a listing of blobs, and keeps when bytes were read.</summary>
internal sealed class BlobManifest(HybridConnectionManager connections)
{
    private const int PageSize = 5_000;

    // A blob of an abandoned row is deleted again and again for as long as a writer may still be at it (Archiver:PendingTimeout, a day at most), and then for good.
    private const string Columns = """
        file_id, blob_name, state, coalesce(byte_size, 0), sha256, verified_at,
        coalesce((max_transaction_timestamp >= @from AND min_transaction_timestamp < @to) OR (max_enqueued_at >= @from AND min_enqueued_at < @to), false),
        state_changed_at < clock_timestamp() - interval '2 days'
        """;

    /// <summary>Live rows whose names lie in <c>(after, upTo]</c> by their bytes, in pages.</summary>
    /// <param name="upTo">Null: to the last.</param>
    public async IAsyncEnumerable<IReadOnlyList<ManifestRow>> ListLiveAsync(
        string after, string? upTo, ReconciliationRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var start = after;
            var page = await ReadAsync(
                $"SELECT {Columns} FROM raw_event_files WHERE state = 'live' AND blob_name COLLATE \"C\" > @after {(upTo is null ? "" : "AND blob_name COLLATE \"C\" <= @up_to")} ORDER BY blob_name COLLATE \"C\" LIMIT {PageSize}",
                request,
                cancellationToken,
                [new("after", start), .. upTo is null ? Array.Empty<NpgsqlParameter>() : [new("up_to", upTo)]]);
            if (page.Count > 0)
                yield return page;
            if (page.Count < PageSize)
                yield break;
            after = page[^1].BlobName;
        }
    }

    public Task<List<ManifestRow>> FindAsync(IReadOnlyCollection<string> names, ReconciliationRequest request, CancellationToken cancellationToken) =>
        ReadAsync($"SELECT {Columns} FROM raw_event_files WHERE blob_name = ANY (@names)", request, cancellationToken, new NpgsqlParameter("names", names.ToArray()));

    /// <summary>Live files whose bytes were not looked at for longest: as many as both limits allow, or the first one alone where it is larger. What the manifest knows to be in the archive tier is left out.</summary>
    public Task<List<ManifestRow>> ListOldestAsync(int files, long bytes, ReconciliationRequest request, CancellationToken cancellationToken) =>
        ReadAsync(
            $"""
            SELECT {Columns} FROM (
              SELECT *, row_number() OVER oldest AS place, sum(byte_size) OVER oldest AS bytes_so_far
              FROM (SELECT * FROM raw_event_files WHERE state = 'live' AND tier <> 'archive' ORDER BY verified_at NULLS FIRST, file_id LIMIT @files) f
              WINDOW oldest AS (ORDER BY verified_at NULLS FIRST, file_id ROWS UNBOUNDED PRECEDING)
            ) f
            WHERE place = 1 OR bytes_so_far <= @bytes ORDER BY place
            """,
            request, cancellationToken, new("files", files), new("bytes", bytes));

    public async Task MarkAsync(IReadOnlyCollection<Guid> files, CancellationToken cancellationToken)
    {
        if (files.Count == 0)
            return;
        // In one order, as whoever else changes several files does: two of them never wait for each other.
        const string sql = """
            WITH marked AS MATERIALIZED (SELECT file_id FROM raw_event_files WHERE file_id = ANY ($1) AND state = 'live' ORDER BY file_id FOR NO KEY UPDATE)
            UPDATE raw_event_files f SET verified_at = clock_timestamp() FROM marked WHERE f.file_id = marked.file_id
            """;
        await connections.ExecuteAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = files.ToArray() } } };
                await command.ExecuteNonQueryAsync(token);
            },
            cancellationToken);
    }

    /// <summary>Whether the stream still holds all the offsets of a file, or all the files that it was merged of are kept.</summary>
    public Task<Dictionary<Guid, bool>> ListRepairableAsync(IReadOnlyCollection<Guid> files, CancellationToken cancellationToken) => connections.ExecuteAsync(
        async (connection, token) =>
        {
            const string sql = """
                SELECT r.file_id, coalesce(bool_and(l.log_id IS NOT NULL AND p.first_offset <= r.first_offset AND p.next_offset >= r.next_offset), false)
                  OR coalesce((SELECT bool_and(o.state = 'superseded') FROM raw_event_files o WHERE o.superseded_by = r.file_id), false)
                FROM raw_event_ranges r
                LEFT JOIN stream_logs l ON l.stream = r.stream AND l.log_id = r.log_id
                LEFT JOIN stream_partitions p ON p.log_id = l.log_id AND p.partition_id = r.partition_id
                WHERE r.live AND r.file_id = ANY ($1) GROUP BY r.file_id
                """;
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = files.ToArray() } } };
            await using var reader = await command.ExecuteReaderAsync(token);
            var found = new Dictionary<Guid, bool>();
            while (await reader.ReadAsync(token))
                found.Add(reader.GetGuid(0), reader.GetBoolean(1));
            return found;
        },
        cancellationToken);

    private Task<List<ManifestRow>> ReadAsync(string sql, ReconciliationRequest request, CancellationToken cancellationToken, params NpgsqlParameter[] parameters) => connections.ExecuteAsync(
        async (connection, token) =>
        {
            await using var command = new NpgsqlCommand(sql, connection);
            // Each attempt needs parameters of its own.
            foreach (var parameter in parameters)
                command.Parameters.Add(parameter.Clone());
            command.Parameters.Add(new("from", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(request.From) });
            command.Parameters.Add(new("to", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(request.To) });
            await using var reader = await command.ExecuteReaderAsync(token);
            var rows = new List<ManifestRow>();
            while (await reader.ReadAsync(token))
            {
                rows.Add(new(
                    reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetInt64(3), reader.IsDBNull(4) ? null : reader.GetFieldValue<byte[]>(4), reader.IsDBNull(5) ? null : reader.GetDateTime(5),
                    reader.GetBoolean(6), reader.GetBoolean(7)));
            }

            return rows;
        },
        cancellationToken);
}
