using System.Diagnostics;
using System.Diagnostics.Metrics;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.BlobArchiver;

/// <summary>Meter and activity source <c>PaymentPlatform.BlobArchiver</c>.</summary>
public sealed class ArchiverTelemetry : IDisposable
{
    public const string Name = "PaymentPlatform.BlobArchiver";
    private const long Nothing = long.MaxValue;
    private static readonly ActivitySource Source = new(Name);

    private readonly Meter _meter;
    private readonly Counter<long> _events;
    private readonly Counter<long> _invalid;
    private readonly Counter<long> _files;
    private readonly Counter<long> _abandoned;
    private readonly Counter<long> _restored;
    private readonly Counter<long> _unrestorable;
    private readonly Counter<long> _compacted;
    private readonly Histogram<long> _rows;
    private readonly Histogram<long> _payload;
    private readonly Histogram<long> _bytes;
    private readonly Histogram<double> _flush;
    private readonly Histogram<double> _stage;
    private long _oldestEnqueuedAt = Nothing;

    public ArchiverTelemetry(IMeterFactory meters, TimeProvider timeProvider)
    {
        _meter = meters.Create(Name);
        _events = _meter.CreateCounter<long>("archiver.events", "{event}", "Events that became durable in a live file.");
        _invalid = _meter.CreateCounter<long>("archiver.events.invalid", "{event}", "Those of them that are invalid.");
        _files = _meter.CreateCounter<long>("archiver.files", "{file}", "Files that became live, by the reason for writing them.");
        _abandoned = _meter.CreateCounter<long>("archiver.files.abandoned", "{file}", "Files that were given up because another owner had moved on, or because they were stale.");
        _restored = _meter.CreateCounter<long>("archiver.files.restored", "{file}", "Files that the store had lost and that were written again from the stream.");
        _unrestorable = _meter.CreateCounter<long>("archiver.files.unrestorable", "{file}", "Findings of lost files that the stream no longer holds the events of.");
        _compacted = _meter.CreateCounter<long>("archiver.files.compacted", "{file}", "Small files whose events were merged into larger ones.");
        _rows = _meter.CreateHistogram<long>("archiver.flush.rows", "{event}", "Events in a file.");
        _payload = _meter.CreateHistogram<long>("archiver.flush.payload", "By", "Payload bytes in a file, before compression.");
        _bytes = _meter.CreateHistogram<long>("archiver.flush.size", "By", "Size of a file.");
        _flush = _meter.CreateHistogram<double>("archiver.flush.duration", "s", "From a full buffer to a live file.");
        _stage = _meter.CreateHistogram<double>("archiver.flush.stage.duration", "s", "Each stage of it: serialize, verify, announce, upload, commit.");
        _meter.CreateObservableGauge("archiver.lag", () => Lag(timeProvider.GetUtcNow()), "s", "Age of the oldest event that is read but not yet in a live file; 0 when there is none.");
    }

    /// <summary>The oldest event in memory, by arrival: microseconds since the Unix epoch, or null.</summary>
    internal void Buffering(long? oldestEnqueuedAtMicros) => Volatile.Write(ref _oldestEnqueuedAt, oldestEnqueuedAtMicros ?? Nothing);

    internal Activity? StartFlush(ArchiveBuffer buffer, FlushReason reason) =>
        Source.StartActivity("archive flush", ActivityKind.Consumer, parentContext: default, links: buffer.Traces, tags:
        [
            new("archive.rows", buffer.Events.RowCount),
            new("archive.reason", Tag(reason)),
        ]);

    internal void StageEnded(WriteStage stage, TimeSpan elapsed) => _stage.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>("stage", stage switch
    {
        WriteStage.Serialize => "serialize",
        WriteStage.Verify => "verify",
        WriteStage.Announce => "announce",
        WriteStage.Upload => "upload",
        _ => "commit",
    }));

    internal void FileArchived(ManifestEntry file, long payloadBytes, FlushReason reason, TimeSpan elapsed)
    {
        _events.Add(file.RowCount);
        _invalid.Add(file.RowCount - file.ValidCount);
        _files.Add(1, new KeyValuePair<string, object?>("reason", Tag(reason)));
        _rows.Record(file.RowCount);
        _payload.Record(payloadBytes);
        _bytes.Record(file.ByteSize);
        _flush.Record(elapsed.TotalSeconds);
    }

    internal void FileAbandoned() => _abandoned.Add(1);

    internal void FileRestored() => _restored.Add(1);

    internal void FilesCompacted(int files) => _compacted.Add(files);

    internal void FileUnrestorable() => _unrestorable.Add(1);

    public void Dispose() => _meter.Dispose();

    private double Lag(DateTimeOffset now) => Volatile.Read(ref _oldestEnqueuedAt) is var oldest and not Nothing
        ? Math.Max(0, (now - ArchiveFileName.FromMicros(oldest)).TotalSeconds)
        : 0;

    private static string Tag(FlushReason reason) => reason switch
    {
        FlushReason.Rows => "rows",
        FlushReason.Bytes => "bytes",
        FlushReason.Age => "age",
        FlushReason.Hour => "hour",
        _ => "revoked",
    };
}
