using System.Globalization;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>Gathers what the parts of one check find. Safe to use by several threads.</summary>
internal sealed class ReconciliationRun(ReconciliationRequest request, IProgress<string>? progress)
{
    private const int MaxSkipped = 1_000;

    private readonly Lock _lock = new();
    private readonly List<ReconciliationFinding> _findings = [];
    private readonly List<SkippedCheck> _skipped = [];
    private readonly Dictionary<string, string> _outOfReach = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _byKind = new(StringComparer.Ordinal);
    private string? _said;
    private long _files, _blobs, _bytes, _contents, _partitions, _ranges, _windows, _figures, _events, _deadLetters;

    public ReconciliationRequest Request => request;

    public void Find(string kind, string subject, string? expected, string? actual, string message, string? repair, Guid? fileId = null)
    {
        lock (_lock)
        {
            _byKind[kind] = _byKind.GetValueOrDefault(kind) + 1;
            if (_findings.Count < request.MaxFindings)
                _findings.Add(new(kind, FindingKind.IsInformation(kind) ? "info" : "error", subject, expected, actual, message, repair) { FileId = fileId });
            if (fileId is not null)
                _outOfReach[subject] = "It is missing or damaged.";
        }
    }

    public void Skip(string check, string subject, string reason)
    {
        lock (_lock)
        {
            if (_skipped.Count < MaxSkipped)
                _skipped.Add(new(check, subject, reason));
        }
    }

    public void CountBlobs(long blobs) => Interlocked.Add(ref _blobs, blobs);

    public void CountFile(long bytes)
    {
        Interlocked.Increment(ref _files);
        Interlocked.Add(ref _bytes, bytes);
    }

    public void CountContents() => Interlocked.Increment(ref _contents);

    public void CountRanges(long partitions, long ranges)
    {
        Interlocked.Add(ref _partitions, partitions);
        Interlocked.Add(ref _ranges, ranges);
    }

    public void CountFigures(long windows, long figures, long events, long deadLetters)
    {
        Interlocked.Add(ref _windows, windows);
        Interlocked.Add(ref _figures, figures);
        Interlocked.Add(ref _events, events);
        Interlocked.Add(ref _deadLetters, deadLetters);
    }

    public bool HasFindings
    {
        get
        {
            lock (_lock)
                return _byKind.Count > 0;
        }
    }

    /// <summary>Adds what another one has gathered.</summary>
    public void Take(ReconciliationRun part)
    {
        lock (_lock)
        {
            _findings.AddRange(part._findings.Take(request.MaxFindings - _findings.Count));
            foreach (var (kind, count) in part._byKind)
                _byKind[kind] = _byKind.GetValueOrDefault(kind) + count;
            _skipped.AddRange(part._skipped.Except(_skipped).Take(MaxSkipped - _skipped.Count));
        }

        CountFigures(part._windows, part._figures, part._events, part._deadLetters);
    }

    /// <summary>From now on nobody tries to read the blob, which would cost the day's other files a reading more.</summary>
    /// <param name="why">A sentence.</param>
    public void PutOutOfReach(string blobName, string why)
    {
        lock (_lock)
            _outOfReach[blobName] = why;
    }

    /// <returns>Null for a blob that can be read, as far as is known.</returns>
    public string? WhyOutOfReach(string blobName)
    {
        lock (_lock)
            return _outOfReach.GetValueOrDefault(blobName);
    }

    /// <summary>Says it, unless it was said last.</summary>
    public void Say(FormattableString text)
    {
        var line = text.ToString(CultureInfo.InvariantCulture);
        if (Interlocked.Exchange(ref _said, line) != line)
            progress?.Report(line);
    }

    public void SayBlobs() => Say($"blobs: {Counted.Of(Interlocked.Read(ref _files), "file")} compared, the bytes of {Interlocked.Read(ref _contents)} read");

    /// <param name="repairs">What to do about a live file, by its id.</param>
    public ReconciliationReport Report(IReadOnlyDictionary<Guid, string> repairs, TimeSpan elapsed)
    {
        lock (_lock)
        {
            return new(
                _byKind.Keys.All(FindingKind.IsInformation), Timestamps.ToDateTime(request.From), Timestamps.ToDateTime(request.To),
                new(_files, _blobs, _bytes, _contents, _partitions, _ranges, _windows, _figures, _events, _deadLetters),
                _byKind.Values.Sum(), _byKind,
                [.. _findings.Select(f => f.FileId is { } id && repairs.TryGetValue(id, out var repair) ? f with { Repair = repair } : f).OrderBy(f => f.Severity == "info")],
                [.. _skipped], (long)elapsed.TotalMilliseconds);
        }
    }

    public IReadOnlyList<Guid> DamagedFiles()
    {
        lock (_lock)
            return [.. _findings.Where(f => f.FileId is not null).Select(f => f.FileId!.Value)];
    }
}
