using System.Globalization;
using DuckDB.NET.Data;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>
/// The archive's events against figures and dead letters, a day at a time. Exact under traffic: figures and the metrics checkpoints are read in one snapshot, the archiver is waited for until it has passed them,
/// and events below them are counted. Figures go by transaction time, dead letters by arrival, since an invalid event need not have a time.
/// </summary>
internal sealed class CountCheck(
    HybridConnectionManager connections, ManifestReader manifest, ArchivedFigures archive, BlobCheck blobs, IOptions<QueryOptions> options, TimeProvider timeProvider)
{
    private const string Figures = "figures", DeadLetters = "dead_letters";
    private const int MaxUnreadable = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200), NobodyArchives = TimeSpan.FromSeconds(15);

    public async Task RunAsync(ReconciliationRun run, CancellationToken cancellationToken)
    {
        if (await FindDaysAsync(cancellationToken) is not var (first, end))
            return;
        (first, end) = (Math.Max(run.Request.From, first), Math.Min(run.Request.To, end));
        for (var from = first; from < end;)
        {
            var to = Math.Min(end, ReconciliationRequest.FloorToDay(from) + ReconciliationRequest.Day);
            run.Say($"figures and dead letters: {Span(from, to)}");
            var (day, behind) = await CheckAsync(run, from, to, cancellationToken);
            // Once more before anything is reported: figures may have been rebuilt meanwhile, or a file written again.
            if (day.HasFindings)
                (day, behind) = await CheckAsync(run, from, to, cancellationToken);
            if (behind is not null)
            {
                // Each of the next days would wait as long, for the same partition.
                run.Skip(Figures, Span(from, end), behind);
                run.Skip(DeadLetters, Span(from, end), behind);
                return;
            }

            run.Take(day);
            from = to;
        }
    }

    /// <summary>The days from the first to the last event of files, figures and dead letters; null when there is none.</summary>
    private Task<(long First, long End)?> FindDaysAsync(CancellationToken cancellationToken) => connections.ExecuteAsync<(long, long)?>(
        async (connection, token) =>
        {
            const string sql = $"""
                SELECT min(first), max(last) FROM (
                  SELECT min(LEAST(min_transaction_timestamp, min_enqueued_at)), max(GREATEST({ArchiveManifest.LatestValid}, max_enqueued_at)) FROM raw_event_files WHERE state = 'live' OR gone_state IN ('deleting', 'deleted')
                  UNION ALL SELECT min(window_start), max(window_start) FROM payment_metrics_5m
                  UNION ALL SELECT min(enqueued_at), max(enqueued_at) FROM failed_items) AS kept (first, last)
                """;
            await using var command = new NpgsqlCommand(sql, connection);
            await using var reader = await command.ExecuteReaderAsync(token);
            await reader.ReadAsync(token);
            return reader.IsDBNull(0)
                ? null
                : (ReconciliationRequest.FloorToDay(Timestamps.ToMicros(reader.GetDateTime(0))), ReconciliationRequest.FloorToDay(Timestamps.ToMicros(reader.GetDateTime(1))) + ReconciliationRequest.Day);
        },
        cancellationToken);

    /// <returns>Why the archiver is behind, in a sentence: then nothing was compared.</returns>
    private async Task<(ReconciliationRun Day, string? Behind)> CheckAsync(ReconciliationRun run, long from, long to, CancellationToken cancellationToken)
    {
        var day = new ReconciliationRun(run.Request, null);
        var live = await LiveFigures.ReadAsync(connections, from, to, cancellationToken);
        if (await WaitForArchiverAsync(live.Cut, cancellationToken) is { } behind)
            return (day, behind);

        if (to > live.FirstDay)
            await CompareFiguresAsync(run, day, live, from, to, cancellationToken);
        else
            day.Skip(Figures, Span(from, to), "The figures of these days are dropped (Metrics:Retention).");
        await CompareLettersAsync(run, day, live, from, to, cancellationToken);
        return (day, null);
    }

    private async Task CompareFiguresAsync(ReconciliationRun run, ReconciliationRun day, LiveFigures live, long from, long to, CancellationToken cancellationToken)
    {
        if (await ReadArchiveAsync(run, day, Figures, TimeAxis.ValidTransaction, from, to, files => archive.CountAsync(files, from, to, live.Cut, cancellationToken), cancellationToken) is not var (archived, away))
            return;
        long events = 0, rows = 0;
        var windows = new HashSet<long>();
        foreach (var key in archived.Keys.Union(live.Figures.Keys).OrderBy(k => k.Window).ThenBy(k => k.ToString(), StringComparer.Ordinal))
        {
            if (away.Touches(key.Window, key.Window + ReconciliationRequest.Window))
                continue;
            (FigureValues? expected, FigureValues? actual) = (archived.TryGetValue(key, out var a) ? a : null, live.Figures.TryGetValue(key, out var f) ? f : null);
            windows.Add(key.Window);
            rows++;
            events += expected?.Count ?? 0;
            if (expected != actual)
            {
                day.Find(
                    FindingKind.FigureDiffers, key.ToString(), expected?.ToString() ?? "no event", actual?.ToString() ?? "no row", "The archive's events and payment_metrics_5m say different things.",
                    "If the archive is whole (no blob or range finding), POST /v1/metrics/rebuild with the day computes the figures from it.");
            }
        }

        day.CountFigures(windows.Count, rows, events, 0);
    }

    private async Task CompareLettersAsync(ReconciliationRun run, ReconciliationRun day, LiveFigures live, long from, long to, CancellationToken cancellationToken)
    {
        if (await ReadArchiveAsync(run, day, DeadLetters, TimeAxis.Arrival, from, to, files => archive.ListInvalidAsync(files, from, to, live.Cut, cancellationToken), cancellationToken) is not var (archived, away))
            return;
        if (away.Touches(from, to))
        {
            day.Skip(DeadLetters, Span(from, to), "Events that arrived then are out of reach (see above).");
            return;
        }

        foreach (var partition in archived.Keys.Union(live.Failed.Keys).Order())
            Compare(day, partition, archived.GetValueOrDefault(partition) ?? [], live.Failed.GetValueOrDefault(partition) ?? []);
        day.CountFigures(0, 0, 0, archived.Values.Sum(o => (long)o.Count));
    }

    /// <summary>Both sorted. An invalid event that was replayed may have a dead letter of its own, or not.</summary>
    private static void Compare(ReconciliationRun day, StreamPartition partition, List<(long Offset, bool IsReplay)> archived, List<long> failed)
    {
        var (a, f) = (0, 0);
        while (a < archived.Count || f < failed.Count)
        {
            var (event_, letter) = (a < archived.Count ? archived[a].Offset : long.MaxValue, f < failed.Count ? failed[f] : long.MaxValue);
            if (event_ < letter && !archived[a].IsReplay)
            {
                day.Find(
                    FindingKind.DeadLetterMissing, Position(partition, event_), "a dead letter", "none", "The archive holds an invalid event that failed_items does not.",
                    "The event and its errors are in the archive (GET /v1/events?is_valid=false). Restore the row from a backup of the database.");
            }
            else if (letter < event_)
            {
                day.Find(
                    FindingKind.DeadLetterExtra, Position(partition, letter), "no dead letter", "one", "failed_items holds an event that the archive does not, or holds as valid.",
                    "If there is a range or blob finding, mend that first. An error_type 'internal' on a valid event is a defect of the platform: resubmit it.");
            }

            if (event_ <= letter)
                a++;
            if (letter <= event_)
                f++;
        }
    }

    /// <summary>Reads what the archive has of a span. Files that can't be read are left out, and their time is.</summary>
    /// <returns>Null when nothing of the span can be compared.</returns>
    private async Task<(T Read, TimeSpans Away)?> ReadArchiveAsync<T>(
        ReconciliationRun run, ReconciliationRun day, string check, TimeAxis axis, long from, long to, Func<IReadOnlyList<ArchiveFile>, Task<T>> read, CancellationToken cancellationToken)
    {
        var away = new TimeSpans();
        var deleted = await ListDeletedAsync(axis, from, to, cancellationToken);
        deleted.ForEach(span => away.Add(span.First, span.Last));
        if (deleted.Count > 0)
            day.Skip(check, Span(from, to), $"{Counted.Of(deleted.Count, "file")} of it {(deleted.Count == 1 ? "was" : "were")} deleted at the end of retention.");
        var files = (await manifest.FindAsync(axis, from, to, null, cancellationToken)).Files.ToList();
        foreach (var (file, why) in files.Select(f => (f, Why: run.WhyOutOfReach(f.BlobName))).Where(f => f.Why is not null).ToList())
            LeaveOut(file, why!);
        for (var unreadable = 0; unreadable < MaxUnreadable; unreadable++)
        {
            try
            {
                return (await read(files), away);
            }
            catch (ArchiveFileException exception) when (files.Find(f => f.BlobName == exception.BlobName) is { } file)
            {
                var state = await blobs.InspectAsync(run, file.BlobName, cancellationToken);
                if (state == BlobState.Sound && exception.InnerException is DuckDBException)
                {
                    run.Find(FindingKind.BlobUnreadable, file.BlobName, "Parquet", null, exception.Message, "That is a defect of the platform: its bytes are those that were written.");
                    run.PutOutOfReach(file.BlobName, exception.Message);
                }

                LeaveOut(file, run.WhyOutOfReach(file.BlobName) ?? (state == BlobState.NotLive ? "Another file has taken its place meanwhile." : exception.Message));
            }
        }

        day.Skip(check, Span(from, to), $"More than {MaxUnreadable} files of it can't be read.");
        return null;

        void LeaveOut(ArchiveFile file, string why)
        {
            files.Remove(file);
            away.Add(file.Min, file.Max);
            // A figure is one number for its window, and a position does not tell when its event arrived.
            day.Skip(check, file.BlobName, check == Figures
                ? $"{why} The whole five-minute windows that its events lie in ({Span(ReconciliationRequest.FloorToWindow(file.Min), ReconciliationRequest.FloorToWindow(file.Max) + ReconciliationRequest.Window)}) are not compared."
                : $"{why} No dead letter of the day ({Span(from, to)}) is compared.");
        }
    }

    private Task<List<(long First, long Last)>> ListDeletedAsync(TimeAxis axis, long from, long to, CancellationToken cancellationToken) => connections.ExecuteAsync(
        async (connection, token) =>
        {
            var (min, max) = ManifestReader.Bounds(axis);
            await using var command = new NpgsqlCommand($"SELECT {min}, {max} FROM raw_event_files WHERE gone_state IN ('deleting', 'deleted') AND {max} >= $1 AND {min} < $2", connection)
            {
                Parameters = { new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = Timestamps.ToDateTime(from) }, new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = Timestamps.ToDateTime(to) } },
            };
            await using var reader = await command.ExecuteReaderAsync(token);
            var spans = new List<(long, long)>();
            while (await reader.ReadAsync(token))
                spans.Add((Timestamps.ToMicros(reader.GetDateTime(0)), Timestamps.ToMicros(reader.GetDateTime(1))));
            return spans;
        },
        cancellationToken);

    /// <returns>Null once the archive holds all below the cut; else why it does not, in a sentence.</returns>
    private async Task<string?> WaitForArchiverAsync(IReadOnlyDictionary<StreamPartition, long> cut, CancellationToken cancellationToken)
    {
        var started = timeProvider.GetTimestamp();
        var lastSeen = started;
        while (true)
        {
            var (behind, isThere) = await connections.ExecuteAsync(
                async (connection, token) =>
                {
                    var partitions = await CheckpointStore.ListBehindAsync(connection, "archiver", cut, token);
                    await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT FROM stream_leases WHERE consumer_group = 'archiver' AND expires_at > clock_timestamp())", connection);
                    return (partitions, (bool)(await command.ExecuteScalarAsync(token))!);
                },
                cancellationToken);
            if (behind.Count == 0)
                return null;
            if (isThere)
                lastSeen = timeProvider.GetTimestamp();
            var given = options.Value.ReconciliationWait;
            if (timeProvider.GetElapsedTime(started) >= given)
                return $"After {given} the archiver was still behind what the metrics service had committed, in {behind[0]} for example (GET /v1/pipeline).";
            if (timeProvider.GetElapsedTime(lastSeen) >= NobodyArchives)
                return $"The archiver is behind what the metrics service had committed, in {behind[0]} for example, and none runs.";
            await Task.Delay(Pause, timeProvider, cancellationToken);
        }
    }

    private static string Span(long from, long to) => string.Create(CultureInfo.InvariantCulture, $"{Timestamps.ToDateTime(from):yyyy-MM-dd'T'HH:mm:ss'Z'} to {Timestamps.ToDateTime(to):yyyy-MM-dd'T'HH:mm:ss'Z'}");

    private static string Position(StreamPartition partition, long offset) => string.Create(CultureInfo.InvariantCulture, $"{partition} offset {offset}");
}
