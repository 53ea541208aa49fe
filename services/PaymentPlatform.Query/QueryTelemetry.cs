using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace PaymentPlatform.Query;

/// <summary>The service's instruments.</summary>
public sealed class QueryTelemetry : IDisposable
{
    public const string Name = "PaymentPlatform.Query";

    private readonly Meter _meter;
    private readonly Counter<long> _queries;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _filesScanned;
    private readonly Counter<long> _rows;
    private readonly Counter<long> _cacheRequests;
    private readonly Counter<long> _downloaded;
    private readonly Counter<long> _failedItems;

    public QueryTelemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        _queries = _meter.CreateCounter<long>("query.archive.queries", "{query}", "Archive queries by kind and outcome.");
        _duration = _meter.CreateHistogram<double>("query.archive.duration", "s", "Time of an archive query from its turn to its last row.");
        _filesScanned = _meter.CreateCounter<long>("query.archive.files_scanned", "{file}", "Archive files that the manifest could not rule out.");
        _rows = _meter.CreateCounter<long>("query.archive.rows", "{row}", "Events answered from the archive.");
        _cacheRequests = _meter.CreateCounter<long>("query.cache.requests", "{file}", "Archive files asked of the local cache, by result.");
        _downloaded = _meter.CreateCounter<long>("query.cache.downloaded", "By", "Bytes fetched from the blob store.");
        _failedItems = _meter.CreateCounter<long>("query.failed_items.changes", "{item}", "Dead letters by what was asked for (resubmit, resolve, discard) and what became of it; finished: begun by a process that did not end it.");
    }

    public static ActivitySource Source { get; } = new(Name);

    public void QueryEnded(string kind, string outcome, TimeSpan duration, long rows)
    {
        _queries.Add(1, new("kind", kind), new("outcome", outcome));
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("kind", kind));
        _rows.Add(rows, new KeyValuePair<string, object?>("kind", kind));
    }

    public void FilesScanned(int files) => _filesScanned.Add(files);

    public void CacheRequest(bool hit) => _cacheRequests.Add(1, new KeyValuePair<string, object?>("result", hit ? "hit" : "miss"));

    public void Downloaded(long bytes) => _downloaded.Add(bytes);

    public void FailedItemsChanged(string action, string outcome, int items) => _failedItems.Add(items, new("action", action), new("outcome", outcome));

    /// <summary>Adds the gauge of the bytes that the cache holds.</summary>
    public void ObserveCacheSize(Func<long> bytes) => _meter.CreateObservableGauge("query.cache.size", bytes, "By", "Bytes of local copies of archive files.");

    /// <summary>Adds the gauges of the lookup index.</summary>
    /// <param name="bytes">Of filters in memory.</param>
    /// <param name="known">Live files whose filters are there, or that are known to have none.</param>
    /// <param name="missing">Live files that every lookup has to read.</param>
    public void ObserveLookupIndex(Func<long> bytes, Func<long> known, Func<long> missing)
    {
        _meter.CreateObservableGauge("query.lookup.size", bytes, "By", "Bytes of Bloom filters in memory.");
        _meter.CreateObservableGauge("query.lookup.files", () => (Measurement<long>[])[new(known(), new KeyValuePair<string, object?>("filters", "known")), new(missing(), new KeyValuePair<string, object?>("filters", "missing"))], "{file}", "Live archive files by whether the lookup index has their filters.");
    }

    public void Dispose() => _meter.Dispose();
}
