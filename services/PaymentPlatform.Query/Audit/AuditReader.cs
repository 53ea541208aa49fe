using System.Data;
using System.Text;
using System.Text.Unicode;
using Npgsql;
using PaymentPlatform.Query.FailedItems;
using PaymentPlatform.Query.Lifecycle;
using PaymentPlatform.Query.Lookup;
using PaymentPlatform.Query.Replay;

namespace PaymentPlatform.Query.Audit;

/// <summary>Puts a payment's audit trail together: the archive as of one generation of the manifest, then everything that the database knows in one snapshot.</summary>
internal sealed class AuditReader(ArchiveTailReader tails, TransactionLookup lookup, DatabaseTurns database, ReplaySource replays, LatestRules rules, TimeProvider timeProvider)
{
    /// <summary>What an answer holds in memory: a payment's events are few, but nobody is kept from sending many under one id.</summary>
    private const int MaxEvents = 1000, MaxEventBytes = 16 << 20, MaxFailedItems = 100, MaxPayloadBytes = 64 << 10, MaxChanges = 1000, MaxHits = 1000, MaxReplays = 20, MaxHolds = 100;

    /// <summary>
    /// Every file that holds one of the events, or held it: a merged file's originals, and a lost file in whose place another was written, have it among the ranges that they were written with.
    /// All rows of files that were written one in the other's place have the same live_generation (those from before there was one share theirs; their ranges tell them apart).
    /// </summary>
    private const string FilesSql = """
        WITH RECURSIVE family AS (
          SELECT blob_name AS root, file_id FROM raw_event_files WHERE blob_name = ANY ($1)
          UNION
          SELECT family.root, o.file_id
          FROM family JOIN raw_event_files n ON n.file_id = family.file_id
          CROSS JOIN LATERAL (
            SELECT file_id FROM raw_event_files WHERE superseded_by = n.file_id
            UNION ALL
            SELECT file_id FROM raw_event_files WHERE state = 'lost' AND live_generation = n.live_generation
          ) o
        )
        SELECT e.n::int - 1, f.blob_name = e.blob_name, f.file_id, f.blob_name, f.state, f.tier, encode(f.sha256, 'hex'), f.byte_size, f.row_count, f.schema_version, f.archived_at, f.state_changed_at,
          CASE f.state WHEN 'lost' THEN lead(f.file_id) OVER (PARTITION BY e.n, f.live_generation ORDER BY f.archived_at, f.file_id) ELSE f.superseded_by END
        FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS e (blob_name, stream, log_id, partition_id, stream_offset, n)
        JOIN family ON family.root = e.blob_name
        JOIN raw_event_files f ON f.file_id = family.file_id
        WHERE f.archived_at IS NOT NULL AND (f.blob_name = e.blob_name OR EXISTS (
          SELECT FROM raw_event_ranges r
          WHERE r.file_id = f.file_id AND r.stream = e.stream AND r.log_id = e.log_id AND r.partition_id = e.partition_id AND r.first_offset <= e.stream_offset AND r.next_offset > e.stream_offset))
        ORDER BY e.n, f.archived_at, f.file_id
        """;

    /// <param name="withHolds">Whether the caller may see legal holds.</param>
    /// <exception cref="EngineBusyException">Too many queries.</exception>
    /// <exception cref="ArchiveFileException">A file can't be read.</exception>
    public async Task<AuditTrail> ReadAsync(string transactionId, bool withHolds, CancellationToken cancellationToken)
    {
        var cut = new List<string>();
        var tail = await tails.ReadAsync(cancellationToken);
        var events = await ReadEventsAsync(transactionId, cut, cancellationToken);
        var records = await database.ExecuteAsync((connection, token) => ReadRecordsAsync(connection, transactionId, withHolds, events, token), cancellationToken);
        cut.AddRange(records.Cut);
        return new(
            transactionId, records.AsOf, events, records.FailedItems, records.Hits, await ReplaysAsync(transactionId, events, records, cut, cancellationToken), records.Holds, cut, tail);
    }

    private async Task<List<AuditEvent>> ReadEventsAsync(string transactionId, List<string> cut, CancellationToken cancellationToken)
    {
        await using var scan = await lookup.OpenAsync(transactionId, cancellationToken, MaxEvents + 1);
        var events = new List<AuditEvent>();
        var bytes = 0L;
        var isCut = await scan.ReadAsync(row =>
        {
            if (events.Count == MaxEvents || bytes > MaxEventBytes)
                return false;
            events.Add(AuditEvent.Read(row));
            bytes += events[^1].Json.Length;
            return true;
        });
        if (isCut)
            cut.Add("events");
        return events;
    }

    private async Task<Records> ReadRecordsAsync(NpgsqlConnection connection, string transactionId, bool withHolds, List<AuditEvent> events, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        DateTime asOf;
        await using (var command = new NpgsqlCommand("SELECT now()", connection))
            asOf = (DateTime)(await command.ExecuteScalarAsync(cancellationToken))!;
        var cut = new List<string>();
        await FindFilesAsync(connection, events, cancellationToken);
        var items = await FailedItemsAsync(connection, transactionId, events, cut, cancellationToken);

        var hits = await new DynamicMetricsQuery(MetricType: null, RuleName: null, transactionId, From: null, To: null, After: null, MaxHits, rules).RunAsync(connection, cancellationToken);
        Shorten(hits, MaxHits, "metric_hits", cut);

        var times = events.SelectMany(e => new[] { e.TransactionTime, e.EnqueuedAt }).OfType<DateTime>().Distinct().ToArray();
        List<HoldItem>? holds = null;
        if (withHolds)
        {
            holds = await HoldsApi.FindAsync(connection, transactionId, times, MaxHolds + 1, cancellationToken);
            Shorten(holds, MaxHolds, "legal_holds", cut);
        }

        var jobs = await ReplayJobs.FindAsync(connection, transactionId, times, MaxReplays + 1, cancellationToken);
        Shorten(jobs, MaxReplays, "replays", cut);
        var replayIds = jobs.Select(j => j.Id).Concat(events.Select(ReplayId).OfType<Guid>()).Distinct().ToArray();
        return new(asOf, items, hits, holds, jobs, await ReplaysApi.FindAsync(connection, replayIds, timeProvider, cancellationToken), cut);
    }

    private static async Task FindFilesAsync(NpgsqlConnection connection, List<AuditEvent> events, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(FilesSql, connection);
        command.Parameters.Add(new() { Value = events.ConvertAll(e => e.BlobName) });
        command.Parameters.Add(new() { Value = events.ConvertAll(e => e.Position.Stream) });
        command.Parameters.Add(new() { Value = events.ConvertAll(e => e.Position.StreamLogId) });
        command.Parameters.Add(new() { Value = events.ConvertAll(e => e.Position.StreamPartition) });
        command.Parameters.Add(new() { Value = events.ConvertAll(e => e.Position.StreamOffset) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var earlier = new List<(int Event, AuditFile File)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var file = new AuditFile(
                reader.GetGuid(2), reader.GetString(3), reader.GetString(4), reader.GetString(5), reader.GetString(6), reader.GetInt64(7), reader.GetInt64(8), reader.GetInt32(9), reader.GetDateTime(10), reader.GetDateTime(11),
                reader.IsDBNull(12) ? null : reader.GetGuid(12));
            if (reader.GetBoolean(1))
                events[reader.GetInt32(0)].File = file;
            else
                earlier.Add((reader.GetInt32(0), file));
        }

        foreach (var files in earlier.GroupBy(e => e.Event, e => e.File))
            events[files.Key].EarlierFiles = [.. files];
    }

    private static async Task<List<AuditFailedItem>> FailedItemsAsync(NpgsqlConnection connection, string transactionId, List<AuditEvent> events, List<string> cut, CancellationToken cancellationToken)
    {
        var resubmissions = events.Where(e => e.FailedItemId is not null).ToLookup(e => e.FailedItemId!.Value);
        var found = await FailedItemReader.FindOfAsync(connection, transactionId, [.. resubmissions.Select(r => r.Key)], MaxPayloadBytes, MaxFailedItems + 1, cancellationToken);
        Shorten(found, MaxFailedItems, "failed_items", cut);
        var histories = await FailedItemReader.HistoriesAsync(connection, [.. found.Select(f => f.Summary.Id)], MaxChanges, cancellationToken);
        if (histories.Sum(h => h.Count()) == MaxChanges)
            cut.Add("failed_items.history");
        return found.ConvertAll(item =>
        {
            var isText = item.Payload is not null && Utf8.IsValid(item.Payload);
            return new AuditFailedItem(
                item.Summary, item.Sha256, isText ? Encoding.UTF8.GetString(item.Payload!) : null, isText || item.Payload is null ? null : Convert.ToBase64String(item.Payload),
                [.. histories[item.Summary.Id]], resubmissions[item.Summary.Id].FirstOrDefault()?.Position, Correction(item.Payload, resubmissions[item.Summary.Id].FirstOrDefault()));
        });
    }

    private static IReadOnlyList<AuditChange>? Correction(byte[]? payload, AuditEvent? resubmission) =>
        payload is not null && resubmission is { PayloadBytes: <= MaxPayloadBytes } && resubmission.ReadPayload() is { } sent ? AuditCorrection.Compare(payload, sent) : null;

    private async Task<List<AuditReplay>> ReplaysAsync(string transactionId, List<AuditEvent> events, Records records, List<string> cut, CancellationToken cancellationToken)
    {
        var arrived = events.Where(e => e.Origin == "replay" && e.OriginId is not null).ToLookup(e => e.OriginId!, e => e.Position, StringComparer.OrdinalIgnoreCase);
        var positions = events.DistinctBy(e => Place(e.Cursor)).ToDictionary(e => Place(e.Cursor), e => e.Position);
        var taken = new Dictionary<string, IReadOnlyList<AuditReplayedEvent>>();
        if (records.Jobs.Count > 0)
        {
            // Where the events are by now: compaction may have been at it since they were read.
            var files = (await lookup.FindAsync(transactionId, cancellationToken)).Files;
            foreach (var job in records.Jobs)
            {
                var state = records.Replays.First(r => r.Id == job.Id).State;
                // It took nothing, whatever its filter means by now: "success" stood for no events once.
                if (state == "done" && job.Position.EventsPassed == 0)
                    continue;
                if (await replays.FindAsync(job, transactionId, files, MaxEvents, cancellationToken) is not { } found)
                {
                    if (!cut.Contains("replays"))
                        cut.Add("replays");
                    continue;
                }

                var known = found.Where(c => positions.ContainsKey(Place(c))).Select(c => new AuditReplayedEvent(positions[Place(c)], state == "done" || IsBehind(c, job.Position.After) ? IsDelivered(c, job.Position) : null)).ToList();
                if (known.Count > 0)
                    taken.Add(job.Id.ToString(), known);
            }
        }

        return [.. arrived.Select(a => a.Key).Concat(taken.Keys).Distinct(StringComparer.OrdinalIgnoreCase).Select(id => new AuditReplay(
            id, records.Replays.Find(r => r.Id.ToString().Equals(id, StringComparison.OrdinalIgnoreCase)), [.. arrived[id]], taken.GetValueOrDefault(id, [])))];
    }

    /// <summary>Of an event that the replay has passed; null when it may be one of those that were left out and are not named.</summary>
    private static bool? IsDelivered(EventCursor place, ReplayPosition position) =>
        position.Skipped?.Any(s => (s.StreamLogId, s.StreamPartition, s.StreamOffset) == (place.LogId, place.Partition, place.Offset)) == true ? false
        : position.EventsSkipped > (position.Skipped?.Count ?? 0) ? null
        : true;

    /// <summary>Whether the replay has noted that it came as far, or farther.</summary>
    private static bool IsBehind(EventCursor place, EventCursor? after) =>
        after is not null && (place.Time, place.Partition, place.Offset).CompareTo((after.Time, after.Partition, after.Offset)) is var order && (order < 0 || (order == 0 && string.CompareOrdinal(place.LogId, after.LogId) <= 0));

    private static (string, int, long) Place(EventCursor cursor) => (cursor.LogId, cursor.Partition, cursor.Offset);

    private static Guid? ReplayId(AuditEvent e) => e.Origin == "replay" && Guid.TryParseExact(e.OriginId, "D", out var id) ? id : null;

    private static void Shorten<T>(List<T> items, int limit, string name, List<string> cut)
    {
        if (items.Count <= limit)
            return;
        items.RemoveRange(limit, items.Count - limit);
        cut.Add(name);
    }

    /// <param name="Jobs">Those whose events have to be found out.</param>
    /// <param name="Replays">Those, and the ones that events name.</param>
    private sealed record Records(DateTime AsOf, List<AuditFailedItem> FailedItems, List<DynamicMetricItem> Hits, List<HoldItem>? Holds, List<ReplayJob> Jobs, List<ReplayItem> Replays, List<string> Cut);
}
