using System.Diagnostics;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;
using PaymentPlatform.Streaming.Repeats;

namespace PaymentPlatform.BlobArchiver;

/// <summary>The events of one file to be, and the traces that they came with.</summary>
internal sealed class ArchiveBuffer : IDisposable
{
    private const int MaxTraces = 8;
    private const long MicrosAnHour = 3_600_000_000;
    private const int RowsBetweenMeasurements = 256;
    private readonly List<ActivityLink> _traces = [];
    private MessageHeaders? _lastHeaders;
    private long _newestHour = long.MaxValue;
    private long _held;

    public RawEventBuffer Events { get; } = new();

    /// <summary>The payloads' bytes, or the memory that they take, whichever is more.</summary>
    public long Bytes => Math.Max(Events.PayloadBytes, _held);

    /// <summary>A few of the requests whose events these are.</summary>
    public IReadOnlyList<ActivityLink> Traces => _traces;

    /// <summary>False when the event begins a newer hour than the buffer holds: hours' folders close that way.</summary>
    public bool IsOfHour(long enqueuedAtMicros) => Events.RowCount == 0 || enqueuedAtMicros / MicrosAnHour <= _newestHour;

    /// <summary>Which events of idempotency keys these are: set when the buffer is handed over, written with its file.</summary>
    public TakenKeys Taken { get; set; } = TakenKeys.None;

    /// <summary>The events that came before.</summary>
    public List<(StreamPartition Partition, long Offset)> Duplicates { get; } = [];

    public void Append(EventAppender appender, StreamPartition partition, in ReceivedMessage message, bool duplicate)
    {
        appender.Append(Events, partition, message, duplicate);
        if (duplicate)
            Duplicates.Add((partition, message.Offset));
        if (Events.RowCount % RowsBetweenMeasurements == 0)
            _held = Events.BufferedBytes;
        var hour = message.EnqueuedAtMicros / MicrosAnHour;
        _newestHour = Events.RowCount == 1 ? hour : Math.Max(_newestHour, hour);
        var headers = message.Message.Headers;
        if (!ReferenceEquals(headers, _lastHeaders))
        {
            _lastHeaders = headers;
            NoteTrace(headers);
        }
    }

    public void Clear()
    {
        Events.Clear();
        _traces.Clear();
        Duplicates.Clear();
        Taken = TakenKeys.None;
        _lastHeaders = null;
        _held = 0;
    }

    public void Dispose() => Events.Dispose();

    private void NoteTrace(MessageHeaders headers)
    {
        if (_traces.Count < MaxTraces
            && headers[HeaderNames.TraceParent] is { } parent
            && ActivityContext.TryParse(parent, headers[HeaderNames.TraceState], isRemote: true, out var context)
            && !_traces.Exists(t => t.Context.TraceId == context.TraceId))
            _traces.Add(new(context));
    }
}
