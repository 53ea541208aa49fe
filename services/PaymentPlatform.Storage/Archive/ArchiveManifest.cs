using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Storage.Archive;

/// <summary>
/// The tables <c>raw_event_files</c> and <c>raw_event_ranges</c>: which file holds which offsets. A file exists for readers when its row is <c>live</c>.
/// Rows change state only by conditional updates that say whether they won.
/// </summary>
public static class ArchiveManifest
{
    /// <summary>SQL over a row of <c>raw_event_files</c>: no valid event of the file has a later transaction time (<see cref="Events.TransactionParserOptions.AllowedClockSkew"/>). An invalid one may have any.</summary>
    public const string LatestValid = "LEAST(max_transaction_timestamp, max_enqueued_at + interval '5 minutes')";

    /// <summary>Two CTEs that follow one named <c>wanted</c> with the <c>file_id</c>s of live files. The second one, <c>chosen</c>, has those and all live files that lie between them in their partitions.</summary>
    public const string ChosenWithThoseBetween = """
        spans AS (
          SELECT r.stream, r.log_id, r.partition_id, min(r.first_offset) AS first_offset, max(r.next_offset) AS next_offset
          FROM wanted JOIN raw_event_ranges r USING (file_id) WHERE r.live GROUP BY 1, 2, 3
        ), chosen AS (
          SELECT file_id FROM wanted
          UNION
          SELECT r.file_id FROM raw_event_ranges r JOIN spans s ON s.stream = r.stream AND s.log_id = r.log_id AND s.partition_id = r.partition_id
            AND int8range(r.first_offset, r.next_offset) && int8range(s.first_offset, s.next_offset)
          WHERE r.live
        )
        """;

    /// <summary>Announces a file before its blob is written, or says again that its writer is alive. May be repeated.</summary>
    /// <returns>False when the row has left <c>pending</c>: the sweeper abandoned it.</returns>
    public static async Task<bool> InsertPendingAsync(NpgsqlConnection connection, Guid fileId, string blobName, string owner, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO raw_event_files AS f (file_id, blob_name, state, owner) VALUES ($1, $2, 'pending', $3)
            ON CONFLICT (file_id) DO UPDATE SET state_changed_at = clock_timestamp() WHERE f.state = 'pending'
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = fileId }, new() { Value = blobName }, new() { Value = owner } } };
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Makes a pending file live and takes its ranges in.</summary>
    /// <returns>False when the row is not pending any more: roll back.</returns>
    /// <exception cref="PostgresException">23P01: another live file holds some of the offsets.</exception>
    public static async Task<bool> MakeLiveAsync(NpgsqlTransaction transaction, ManifestEntry entry, IReadOnlyCollection<OffsetRange> ranges, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE raw_event_files SET state = 'live', state_changed_at = clock_timestamp(), archived_at = $2, row_count = $3, valid_count = $4, byte_size = $5, sha256 = $6,
                   min_transaction_timestamp = $7, max_transaction_timestamp = $8, min_enqueued_at = $9, max_enqueued_at = $10, schema_version = $11
            WHERE file_id = $1 AND state = 'pending'
            """;
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction)
        {
            Parameters =
            {
                new() { Value = entry.FileId }, Time(entry.ArchivedAtMicros), new() { Value = entry.RowCount }, new() { Value = entry.ValidCount }, new() { Value = entry.ByteSize },
                new() { Value = entry.Sha256 }, Time(entry.MinTransactionTimestampMicros), Time(entry.MaxTransactionTimestampMicros), Time(entry.MinEnqueuedAtMicros),
                Time(entry.MaxEnqueuedAtMicros), new() { Value = entry.SchemaVersion },
            },
        };
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
            return false;

        const string insert = """
            INSERT INTO raw_event_ranges (file_id, stream, log_id, partition_id, first_offset, next_offset)
            SELECT $1, r.* FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[], $6::bigint[]) AS r
            """;
        await using var insertRanges = new NpgsqlCommand(insert, transaction.Connection, transaction) { Parameters = { new() { Value = entry.FileId } } };
        AddRanges(insertRanges, ranges);
        await insertRanges.ExecuteNonQueryAsync(cancellationToken);
        return true;
    }

    /// <summary>
    /// Takes a live file whose blob is gone out of the readers' sight, and its ranges with it. The pending file that holds the same events stands in its place from the beginning, also for cursors.
    /// </summary>
    /// <returns>False when the row is not live any more: roll back.</returns>
    public static async Task<bool> MakeLostAsync(NpgsqlTransaction transaction, Guid fileId, Guid replacementId, CancellationToken cancellationToken)
    {
        if (!await MoveAsync(transaction.Connection!, fileId, ManifestState.Live, ManifestState.Lost, cancellationToken))
            return false;
        const string sql = """
            WITH ranges AS (UPDATE raw_event_ranges SET live = false WHERE file_id = $1)
            UPDATE raw_event_files SET live_generation = (SELECT live_generation FROM raw_event_files WHERE file_id = $1) WHERE file_id = $2
            """;
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction) { Parameters = { new() { Value = fileId }, new() { Value = replacementId } } };
        await command.ExecuteNonQueryAsync(cancellationToken);
        return true;
    }

    /// <summary>Moves a row on from one state to the next.</summary>
    /// <returns>False when it was not in <paramref name="from"/>.</returns>
    public static async Task<bool> MoveAsync(NpgsqlConnection connection, Guid fileId, string from, string to, CancellationToken cancellationToken)
    {
        const string sql = "UPDATE raw_event_files SET state = $3, state_changed_at = clock_timestamp() WHERE file_id = $1 AND state = $2";
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = fileId }, new() { Value = from }, new() { Value = to } } };
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>True when the file became live at some time, whatever became of it since.</summary>
    public static async Task<bool> WasLiveAsync(NpgsqlConnection connection, Guid fileId, CancellationToken cancellationToken)
    {
        const string sql = "SELECT EXISTS (SELECT FROM raw_event_files WHERE file_id = $1 AND archived_at IS NOT NULL)";
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = fileId } } };
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Abandons all rows that have been pending, without a sign of life, for longer than <paramref name="timeout"/> by the database's clock.</summary>
    /// <returns>How many.</returns>
    public static async Task<int> AbandonStaleAsync(NpgsqlConnection connection, TimeSpan timeout, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE raw_event_files SET state = 'abandoned', state_changed_at = clock_timestamp()
            WHERE state = 'pending' AND state_changed_at < clock_timestamp() - $1
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = timeout } } };
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Abandoned files whose blobs may still be there, oldest first, after <paramref name="after"/>. Settled are those that have been abandoned for longer than
    /// <paramref name="timeout"/> by the database's clock: no upload of theirs is under way any more.
    /// </summary>
    public static async Task<IReadOnlyList<(Guid FileId, string BlobName, bool IsSettled)>> ListAbandonedAsync(NpgsqlConnection connection, TimeSpan timeout, Guid after, int limit, CancellationToken cancellationToken)
    {
        const string sql = "SELECT file_id, blob_name, state_changed_at < clock_timestamp() - $3 FROM raw_event_files WHERE state = 'abandoned' AND file_id > $1 ORDER BY file_id LIMIT $2";
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = after }, new() { Value = limit }, new() { Value = timeout } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<(Guid, string, bool)>();
        while (await reader.ReadAsync(cancellationToken))
            files.Add((reader.GetGuid(0), reader.GetString(1), reader.GetBoolean(2)));
        return files;
    }

    /// <summary>Notes offsets that no file holds because the broker had no events there, in the transaction that moves the checkpoints past them.</summary>
    public static async Task AddHolesAsync(NpgsqlTransaction transaction, IReadOnlyCollection<OffsetRange> ranges, CancellationToken cancellationToken)
    {
        // A hole that goes on where the last one ended makes that one longer: a quiet topic makes many.
        const string sql = """
            WITH holes AS (
              SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS w(stream, log_id, partition_id, first_offset, next_offset)
            ), longer AS (
              UPDATE raw_event_holes h SET next_offset = w.next_offset FROM holes w
              WHERE h.stream = w.stream AND h.log_id = w.log_id AND h.partition_id = w.partition_id AND h.next_offset = w.first_offset AND w.first_offset < w.next_offset
              RETURNING h.stream, h.log_id, h.partition_id
            )
            INSERT INTO raw_event_holes (stream, log_id, partition_id, first_offset, next_offset)
            SELECT * FROM holes WHERE first_offset < next_offset AND (stream, log_id, partition_id) NOT IN (SELECT * FROM longer)
            """;
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction);
        AddRanges(command, ranges);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Live files that became so within <paramref name="window"/> by the database's clock, oldest first.</summary>
    public static Task<IReadOnlyList<ManifestFile>> ListRecentLiveAsync(NpgsqlConnection connection, TimeSpan window, CancellationToken cancellationToken) =>
        ListLiveAsync(connection, "f.state_changed_at > clock_timestamp() - $1", new() { Value = window }, cancellationToken);

    /// <summary>Those of the files that are live, oldest first.</summary>
    public static Task<IReadOnlyList<ManifestFile>> ListLiveAsync(NpgsqlConnection connection, IReadOnlyCollection<Guid> fileIds, CancellationToken cancellationToken) =>
        ListLiveAsync(connection, "f.file_id = ANY ($1)", new() { Value = fileIds.ToArray() }, cancellationToken);

    private static async Task<IReadOnlyList<ManifestFile>> ListLiveAsync(NpgsqlConnection connection, string condition, NpgsqlParameter parameter, CancellationToken cancellationToken)
    {
        var sql = $"""
            SELECT f.file_id, f.blob_name, f.row_count, f.byte_size,
                   array_agg(r.stream ORDER BY r.stream COLLATE "C", r.log_id COLLATE "C", r.partition_id, r.first_offset),
                   array_agg(r.log_id ORDER BY r.stream COLLATE "C", r.log_id COLLATE "C", r.partition_id, r.first_offset),
                   array_agg(r.partition_id ORDER BY r.stream COLLATE "C", r.log_id COLLATE "C", r.partition_id, r.first_offset),
                   array_agg(r.first_offset ORDER BY r.stream COLLATE "C", r.log_id COLLATE "C", r.partition_id, r.first_offset),
                   array_agg(r.next_offset ORDER BY r.stream COLLATE "C", r.log_id COLLATE "C", r.partition_id, r.first_offset)
            FROM raw_event_files f JOIN raw_event_ranges r USING (file_id)
            WHERE f.state = 'live' AND {condition} AND r.live
            GROUP BY f.file_id
            ORDER BY f.file_id
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { parameter } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<ManifestFile>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var (streams, logs, partitions) = (reader.GetFieldValue<string[]>(4), reader.GetFieldValue<string[]>(5), reader.GetFieldValue<int[]>(6));
            var (from, to) = (reader.GetFieldValue<long[]>(7), reader.GetFieldValue<long[]>(8));
            var ranges = new OffsetRange[streams.Length];
            for (var i = 0; i < ranges.Length; i++)
                ranges[i] = new(new(streams[i], logs[i], partitions[i]), from[i], to[i]);
            files.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3), ranges));
        }

        return files;
    }

    /// <summary>Five parameters: streams, logs, partitions, first and next offsets.</summary>
    private static void AddRanges(NpgsqlCommand command, IReadOnlyCollection<OffsetRange> ranges)
    {
        var ordered = ranges.OrderBy(r => r.Partition).ToArray();
        command.Parameters.Add(new() { Value = Array.ConvertAll(ordered, r => r.Partition.Stream) });
        command.Parameters.Add(new() { Value = Array.ConvertAll(ordered, r => r.Partition.LogId) });
        command.Parameters.Add(new() { Value = Array.ConvertAll(ordered, r => r.Partition.PartitionId) });
        command.Parameters.Add(new() { Value = Array.ConvertAll(ordered, r => r.From) });
        command.Parameters.Add(new() { Value = Array.ConvertAll(ordered, r => r.To) });
    }

    private static NpgsqlParameter Time(long? micros) =>
        new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = micros is { } value ? ArchiveFileName.FromMicros(value) : DBNull.Value };
}
