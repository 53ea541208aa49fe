using System.Globalization;
using Npgsql;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>
/// The archived ranges against the archiver's checkpoints, in the database and in one snapshot: files and checkpoints move in one transaction. Logs that are gone are looked at too.
/// Offsets count as accounted for that a live file holds, that a file held which was deleted at the end of its retention, that the broker had no events at, or that are named as lost.
/// </summary>
internal sealed class RangeCheck(HybridConnectionManager connections)
{
    private const string Archiver = "archiver";

    // Both read what is live by its indexes, and names only of what is wrong: rows of merged files outnumber the others by far, and stay for ever.
    // A checkpoint without a start_offset is of before that was noted: its first range counts as the beginning then.
    private const string FaultsSql = """
        WITH spans AS (
          SELECT stream, log_id, partition_id, first_offset, next_offset, true AS live, file_id FROM raw_event_ranges WHERE live
          UNION ALL
          SELECT r.stream, r.log_id, r.partition_id, r.first_offset, r.next_offset, false, r.file_id
          FROM raw_event_files f JOIN raw_event_ranges r USING (file_id) WHERE f.gone_state IN ('deleting', 'deleted') AND NOT r.live
          UNION ALL SELECT stream, log_id, partition_id, first_offset, next_offset, false, NULL FROM raw_event_holes
          UNION ALL SELECT stream, log_id, partition_id, first_offset, next_offset, false, NULL FROM stream_gaps WHERE consumer_group = $1
          UNION ALL SELECT stream, log_id, partition_id, start_offset, start_offset, false, NULL FROM stream_checkpoints WHERE consumer_group = $1 AND start_offset IS NOT NULL
          UNION ALL SELECT stream, log_id, partition_id, next_offset, next_offset, false, NULL FROM stream_checkpoints WHERE consumer_group = $1
        ), ordered AS (
          SELECT s.*, max(next_offset) OVER earlier AS reached, max(next_offset) FILTER (WHERE live) OVER earlier AS live_reached
          FROM spans s
          WINDOW earlier AS (PARTITION BY stream, log_id, partition_id ORDER BY first_offset, next_offset ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
        SELECT o.stream, o.log_id, o.partition_id, o.first_offset, o.next_offset, o.live, f.blob_name, o.reached, o.live_reached, c.next_offset
        FROM ordered o
        LEFT JOIN stream_checkpoints c ON c.consumer_group = $1 AND c.stream = o.stream AND c.log_id = o.log_id AND c.partition_id = o.partition_id
        LEFT JOIN raw_event_files f USING (file_id)
        WHERE (o.first_offset > o.reached AND (c.next_offset IS NULL OR o.reached < c.next_offset))
           OR (o.live AND (o.first_offset < o.live_reached OR c.next_offset IS NULL OR o.next_offset > c.next_offset))
        ORDER BY o.stream COLLATE "C", o.log_id COLLATE "C", o.partition_id, o.first_offset
        """;

    private const string StatesSql = """
        WITH wrong AS (
          SELECT f.file_id FROM raw_event_files f LEFT JOIN raw_event_ranges r USING (file_id)
          WHERE f.state = 'live' GROUP BY 1 HAVING NOT coalesce(bool_and(r.live), false)
          UNION
          SELECT r.file_id FROM raw_event_ranges r WHERE r.live AND NOT EXISTS (SELECT FROM raw_event_files f WHERE f.file_id = r.file_id AND f.state = 'live')
        )
        SELECT f.blob_name, f.state, r.ranges, r.live
        FROM wrong
        CROSS JOIN LATERAL (SELECT blob_name, state FROM raw_event_files WHERE file_id = wrong.file_id LIMIT 1) f
        CROSS JOIN LATERAL (SELECT count(*) AS ranges, count(*) FILTER (WHERE live) AS live FROM raw_event_ranges WHERE file_id = wrong.file_id) r
        ORDER BY f.blob_name COLLATE "C"
        """;

    private const string GapsSql = "SELECT stream, log_id, partition_id, first_offset, next_offset, detected_at FROM stream_gaps WHERE consumer_group = $1 ORDER BY detected_at";

    private const string CountSql = """
        SELECT (SELECT count(*) FROM stream_checkpoints WHERE consumer_group = $1), (SELECT count(*) FROM raw_event_ranges WHERE live)
        """;

    public async Task RunAsync(ReconciliationRun run, CancellationToken cancellationToken)
    {
        run.Say($"ranges: compared with the checkpoints");
        // Reported at the end: an attempt that failed half-way has reported nothing.
        foreach (var report in await connections.ExecuteAsync((connection, token) => ReadAsync(connection, run, token), cancellationToken))
            report();
    }

    private static async Task<List<Action>> ReadAsync(NpgsqlConnection connection, ReconciliationRun run, CancellationToken cancellationToken)
    {
        var reports = new List<Action>();
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        await ReadAsync(connection, FaultsSql, reader => AddFaults(reports, run, reader), cancellationToken);
        await ReadAsync(connection, StatesSql, reader =>
        {
            var (blob, state, ranges, live) = (reader.GetString(0), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3));
            reports.Add(() => run.Find(
                FindingKind.RangeState, blob, "a live file has ranges and all of them count; of another none does", $"the file is {state}, and {live} of its {ranges} ranges count",
                "The file's state and its ranges don't go together.", "Only a change by hand does this: put the manifest right, or restore the database."));
        }, cancellationToken);
        await ReadAsync(connection, GapsSql, reader =>
        {
            var (partition, first, next, detected) = (Partition(reader), reader.GetInt64(3), reader.GetInt64(4), reader.GetDateTime(5));
            reports.Add(() => run.Find(FindingKind.RangeKnownGap, partition.ToString(), null, Span(first, next), $"Lost before the archiver had read it; noted at {detected:u}.", null));
        }, cancellationToken);
        await ReadAsync(connection, CountSql, reader =>
        {
            var (partitions, ranges) = (reader.GetInt64(0), reader.GetInt64(1));
            reports.Add(() => run.CountRanges(partitions, ranges));
        }, cancellationToken);
        return reports;
    }

    private static void AddFaults(List<Action> reports, ReconciliationRun run, NpgsqlDataReader reader)
    {
        var (subject, first, next, live, blob) = (Partition(reader).ToString(), reader.GetInt64(3), reader.GetInt64(4), reader.GetBoolean(5), reader.IsDBNull(6) ? null : reader.GetString(6));
        var (reached, liveReached, checkpoint) = (Offset(7), Offset(8), Offset(9));
        if (first > reached && (checkpoint is null || reached < checkpoint))
        {
            var end = Math.Min(first, checkpoint ?? long.MaxValue);
            reports.Add(() => run.Find(
                FindingKind.RangeGap, subject, checkpoint is null ? null : $"all offsets up to {checkpoint}", $"no file holds {Span(reached.Value, end)}", "The archiver has passed offsets that no live file holds.",
                "Restore the manifest's rows from a backup of the database. A blob_extra finding may be the file."));
        }

        if (live && first < liveReached)
        {
            reports.Add(() => run.Find(
                FindingKind.RangeOverlap, subject, $"offsets from {liveReached} on", $"{blob} begins at {first}", "Two live files hold the same offsets: their events would be answered twice.",
                "Find out which file is wrong, and set it to superseded and its ranges to not live in one transaction."));
        }

        if (live && (checkpoint is null || next > checkpoint))
        {
            reports.Add(() => run.Find(
                FindingKind.RangeBeyond, subject, checkpoint is null ? "a checkpoint of the archiver" : $"offsets below {checkpoint}", $"{blob} holds {Span(first, next)}",
                "A live file holds offsets that the archiver has not passed: it will archive them again, and the database will refuse the file.", "Set the checkpoint of the group archiver to the end of the file, while no archiver runs."));
        }

        long? Offset(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetInt64(ordinal);
    }

    private static StreamPartition Partition(NpgsqlDataReader reader) => new(reader.GetString(0), reader.GetString(1), reader.GetInt32(2));

    private static string Span(long first, long next) => string.Create(CultureInfo.InvariantCulture, $"[{first}, {next})");

    private static async Task ReadAsync(NpgsqlConnection connection, string sql, Action<NpgsqlDataReader> row, CancellationToken cancellationToken)
    {
        // Over years of ranges it sorts for longer than a question may take.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
        if (sql.Contains("$1", StringComparison.Ordinal))
            command.Parameters.Add(new() { Value = Archiver });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            row(reader);
    }
}
