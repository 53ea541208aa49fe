using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;
using PaymentPlatform.Events;

namespace PaymentPlatform.Query.Replay;

/// <summary>
/// Reads a replay's events from the archive, some at a time. Which they are, and their order, is the same whatever files hold them: those live now are read, and a row counts by its position in the stream.
/// </summary>
internal sealed class ReplaySource(ManifestReader manifest, ArchiveFileCache cache, ArchiveEngine engine, QueryTelemetry telemetry, IOptions<QueryOptions> options, TimeProvider timeProvider)
{
    /// <summary>Bodies that a page holds, about.</summary>
    private const int MaxPageBytes = 8 << 20;

    private const string WasArchived = """
        EXISTS (
          SELECT 1 FROM (SELECT unnest($span_streams) AS span_stream, unnest($span_logs) AS span_log, unnest($span_partitions) AS span_partition, unnest($span_ends) AS span_end)
          WHERE span_stream = stream AND span_log = stream_log_id AND span_partition = stream_partition AND stream_offset < span_end)
        """;

    private static readonly int s_payload = EventColumn.OrdinalOf("raw_payload"), s_messageId = EventColumn.OrdinalOf("message_id"), s_correlationId = EventColumn.OrdinalOf("correlation_id");
    private static readonly int s_customerId = EventColumn.OrdinalOf("customer_id"), s_transactionId = EventColumn.OrdinalOf("transaction_id");

    /// <summary>The next events in the order of arrival. Nothing is held between two calls, so that a slow replay is in nobody's way.</summary>
    /// <param name="after">The last event that was read; null: from the first one on.</param>
    /// <exception cref="ArchiveFileException">A file can't be read.</exception>
    /// <exception cref="ReplayFailedException">A file that may hold some of them was given up at the end of its retention, or the job's filter, of an earlier version, is refused by now.</exception>
    public async Task<ReplayPage> ReadAsync(ReplayJob job, EventCursor? after, int maxEvents, CancellationToken cancellationToken)
    {
        var query = new ArchiveQuery { Kind = "replay", Axis = TimeAxis.Arrival, After = after, Limit = maxEvents };
        var (axis, faults) = Restrict(query, job);
        if (faults.Count > 0 && faults.First() is var (name, message))
            throw new ReplayFailedException($"Its filter's member '{name}' is no longer understood: {message} Make a new replay.") { IsMendable = false };
        var view = await manifest.FindAsync(axis, job.From, job.To, generation: null, cancellationToken, order: TimeAxis.Arrival);
        // Asked after the view: a file that goes later is in the view, and missed when it can't be read.
        if (await manifest.CountDeletedAsync(axis, job.From, job.To, after?.Time, job.ArrivedBefore, cancellationToken) is (> 0 and var deleted, var last))
            throw new ReplayFailedException(Deleted(deleted, last)) { IsMendable = false };
        var files = view.Files.Where(f => f.Min < job.ArrivedBefore).ToList();
        var ahead = after is null ? files : files.FindAll(f => f.Max >= after.Time);
        telemetry.FilesScanned(ahead.Count);
        var slices = ScanPlanner.Plan(ahead, after?.Time, job.ArrivedBefore, options.Value);
        // There is one replay in a process: it takes no turn from people's questions.
        await using var scan = new ArchiveScan(query, view.Generation, slices, cache, engine, telemetry, timeProvider, NoTurn.Instance, cancellationToken);
        var events = new List<ReplayedEvent>();
        var bytes = 0;
        var hasEnded = !await scan.ReadAsync(row =>
        {
            var next = Read(row);
            events.Add(next);
            return (bytes += next.Bytes) < MaxPageBytes;
        });
        return new(events, hasEnded && scan.Rows < maxEvents, new(files));
    }

    /// <summary>Which events of one transaction the replay takes: their places in the order of arrival, whether it has come to them yet or not.</summary>
    /// <param name="files">All that may hold them.</param>
    /// <param name="limit">Events that are looked at, at most.</param>
    /// <returns>Null where the job's filter, of an earlier version, is refused by now.</returns>
    /// <exception cref="ArchiveFileException">A file can't be read.</exception>
    /// <exception cref="EngineBusyException">Too many queries.</exception>
    public async Task<List<EventCursor>?> FindAsync(ReplayJob job, string transactionId, IReadOnlyList<ArchiveFile> files, long limit, CancellationToken cancellationToken)
    {
        var query = new ArchiveQuery { Kind = "lookup", Axis = TimeAxis.Arrival, Limit = limit };
        if (Restrict(query, job).Faults.Count > 0)
            return null;
        query.Where("transaction_id = $id", "id", transactionId);
        query.Where("enqueued_at < make_timestamp($arrived_before)", "arrived_before", job.ArrivedBefore);
        var turn = await engine.EnterAsync(query.IsExport, cancellationToken);
        await using var scan = new ArchiveScan(query, generation: 0, ScanPlanner.PlanLookup(files, options.Value), cache, engine, telemetry, timeProvider, turn, cancellationToken);
        var events = new List<EventCursor>();
        await scan.ReadAsync(row =>
        {
            events.Add(row.ArrivalCursor(generation: 0));
            return true;
        });
        return events;
    }

    /// <summary>To what the job's filter and range say, and to what was in the archive when it was made: a limit counts nothing else.</summary>
    /// <returns>As <see cref="ReplayFilter.Apply"/>.</returns>
    private static (TimeAxis Axis, IReadOnlyDictionary<string, string> Faults) Restrict(ArchiveQuery query, ReplayJob job)
    {
        query.Where(WasArchived, "span_streams", job.Archived.Keys.Select(p => p.Stream).ToList());
        query.Bind("span_logs", job.Archived.Keys.Select(p => p.LogId).ToList());
        query.Bind("span_partitions", job.Archived.Keys.Select(p => p.PartitionId).ToList());
        query.Bind("span_ends", job.Archived.Values.ToList());
        return ReplayFilter.Apply(query, job.Filter, job.From, job.To);
    }

    private static string Deleted(long files, long last) => string.Create(
        CultureInfo.InvariantCulture,
        $"{files} of the archive files of its range, with events up to {Timestamps.ToDateTime(last).ToString(Timestamps.Format, CultureInfo.InvariantCulture)}, {(files == 1 ? "is" : "are")} deleted at the end of {(files == 1 ? "its" : "their")} retention: make a replay whose range begins after them.");

    private static ReplayedEvent Read(EventRow row)
    {
        var messageId = Text(row, s_messageId);
        // Without a key the event, and a repeat of it, might come into any partition.
        var key = PartitionKeys.Of(new(Text(row, s_customerId)), new(Text(row, s_transactionId))) is { Length: > 0 } own ? own.Memory.ToArray() : messageId;
        return new(row.IsNull(s_payload) ? [] : row.Payload(s_payload).ToArray(), messageId, Text(row, s_correlationId), key, row.ArrivalCursor(generation: 0));
    }

    private static byte[] Text(EventRow row, int column) => row.IsNull(column) ? [] : Encoding.UTF8.GetBytes(row.Text(column));

    private sealed class NoTurn : IDisposable
    {
        public static NoTurn Instance { get; } = new();

        public void Dispose()
        {
        }
    }
}
