using System.Runtime.InteropServices;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.MetricEngine.Sketches;
using PaymentPlatform.Metrics.Rules;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>What the tables get, in the order of their keys.</summary>
public sealed partial class MetricDelta
{
    /// <summary>UTF-16 code units: an index row has its limits.</summary>
    private const int MaxGroupKey = 800;

    /// <summary>The lengths of the windows in <c>aggregate_histograms</c>, microseconds: 5 minutes, an hour, a day.</summary>
    public static IReadOnlyList<long> HistogramWindows { get; } = [MetricWindow.Micros, 12 * MetricWindow.Micros, 288 * MetricWindow.Micros];

    public List<FoldedBucket> Buckets()
    {
        AbsorbBuckets();
        // What the database can't hold is made to fit, and may then be one group.
        var rows = new Dictionary<RuleBucket, BucketValues>();
        foreach (var (bucket, values) in _buckets.Buckets)
        {
            ref var row = ref CollectionsMarshal.GetValueRefOrAddDefault(rows, bucket with { GroupKey = DatabaseText.Clean(bucket.GroupKey, MaxGroupKey) }, out _);
            row.Merge(values);
        }

        return
        [
            .. rows.Select(r => new FoldedBucket(r.Key, RuleNames.Version(r.Key.RuleVersion), r.Value))
                .OrderBy(r => r.Bucket.WindowStartMicros).ThenBy(r => r.Bucket.RuleName, StringComparer.Ordinal).ThenBy(r => r.Version, StringComparer.Ordinal)
                .ThenBy(r => r.Bucket.GroupKey, StringComparer.Ordinal).ThenBy(r => r.Bucket.WindowEndMicros),
        ];
    }

    public IEnumerable<KeyValuePair<long, ClusterSample>> Samples => _samples.OrderBy(s => s.Key);

    public List<FoldedHistogram> Histograms()
    {
        var histograms = new Dictionary<(long Start, long End, HistogramKind Kind, string EventType), DDSketch>();
        var eventTypes = _keys.ConvertAll(k => new EventType(k.Key.Currency, k.Key.PaymentMethod, k.Key.PaymentStatus).ToString());
        var id = ulong.MaxValue;
        var sketches = new DDSketch[HistogramWindows.Count];
        foreach (var (packed, count) in Sorted(_bins))
        {
            // All bins of a key and kind follow each other.
            if (packed >> KindShift != id)
            {
                id = packed >> KindShift;
                var key = (int)(packed >> BinShift);
                for (var i = 0; i < sketches.Length; i++)
                {
                    var start = MetricWindow.StartOf(_keys[key].Key.WindowStart, HistogramWindows[i]);
                    var of = (start, start + HistogramWindows[i], (HistogramKind)(id & ((1 << (BinShift - KindShift)) - 1)), eventTypes[key]);
                    if (!histograms.TryGetValue(of, out sketches[i]!))
                        histograms.Add(of, sketches[i] = new());
                }
            }

            foreach (var sketch in sketches)
                sketch.AddBin((int)(packed & ((1 << KindShift) - 1)) - 1, count);
        }

        return
        [
            .. histograms.Select(h => new FoldedHistogram(h.Key.Start, h.Key.End, h.Key.Kind.MetricType(), h.Key.EventType, h.Value))
                .OrderBy(h => h.WindowStart).ThenBy(h => h.WindowEnd).ThenBy(h => h.MetricType, StringComparer.Ordinal).ThenBy(h => h.EventType, StringComparer.Ordinal),
        ];
    }

    public List<FoldedFigure> Figures()
    {
        var figures = _keys.ConvertAll(k => new FoldedFigure(k.Key, new(), new(), new(StringComparer.Ordinal)));
        foreach (var packed in _uniques)
        {
            var figure = figures[(int)(packed >> 32)];
            ((packed >> EntryBits & 1) == 0 ? figure.Customers : figure.Merchants).AddEntry((uint)packed & int.MaxValue);
        }

        foreach (var (packed, count) in _countries)
            figures[(int)(packed >> CountryShift)].Countries.Add(CountryCodes.Name((int)(packed & 0xFF)), count);
        figures.Sort((a, b) => a.Key.CompareTo(b.Key));
        return figures;
    }
}
