using System.Runtime.InteropServices;
using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>
/// What is folded rather than written by each commit: percentiles, unique customers and merchants, countries, cluster samples and buckets of rules. Gathered from events, or merged from the bytes of other deltas; any split of the same
/// events into deltas merges to the same. Adding allocates for what is new only: everything lies in a few tables that are used again after <see cref="Clear"/>.
/// </summary>
/// <remarks>Memory: per event at most two bins, two unique entries and a country, each 40 bytes at most, and 64 bytes of a sample (which ends at 400 a window); per key and per bucket about 300 bytes.</remarks>
public sealed partial class MetricDelta
{
    /// <summary>Longer group keys and rule names are cut: an index row has its limits.</summary>
    public const int MaxTextLength = 400;

    // Numbers in one table, so that no key needs an object of its own: key, kind and bin; key, kind and entry; key and country.
    private const int BinShift = 16, KindShift = 13, CountryShift = 8, EntryBits = 31;
    private const int MaxKept = 1 << 18;
    private const int MaxSpare = 256;

    private readonly Dictionary<FigureKey, int> _keyIds = [];
    private readonly List<(FigureKey Key, ClusterSample Sample)> _keys = [];
    private readonly Dictionary<ulong, long> _bins = [];
    private readonly HashSet<ulong> _uniques = [];
    private readonly Dictionary<ulong, long> _countries = [];
    private readonly Dictionary<long, ClusterSample> _samples = [];
    private readonly Stack<ClusterSample> _spare = [];
    private readonly Dictionary<BucketKey, BucketSums> _buckets = [];

    public bool IsEmpty => _keys.Count == 0 && _buckets.Count == 0;

    /// <summary>Keys of figures and of buckets.</summary>
    public int KeyCount => _keys.Count + _buckets.Count;

    /// <returns>The number to give to <see cref="AddEvent"/>, good until <see cref="Clear"/>.</returns>
    public int IdOf(FigureKey key)
    {
        ref var id = ref CollectionsMarshal.GetValueRefOrAddDefault(_keyIds, key, out var exists);
        if (exists)
            return id;
        id = _keys.Count;
        _keys.Add((key, SampleOf(key.WindowStart)));
        return id;
    }

    /// <param name="amountScaled">Times 10,000; 0 or more.</param>
    /// <param name="latencyMicros">From the transaction's time to the stream's taking it; left out when negative.</param>
    /// <param name="customerId">UTF-8; empty when there is none, as are the merchant and the country.</param>
    /// <param name="idHash">Of the message id.</param>
    public void AddEvent(int key, Int128 amountScaled, long latencyMicros, ReadOnlySpan<byte> customerId, ReadOnlySpan<byte> merchantId, ReadOnlySpan<byte> country, ulong idHash)
    {
        AddBin(key, HistogramKind.TransactionAmount, DDSketch.BinOf(amountScaled), 1);
        // Milliseconds, scaled as amounts are.
        if (latencyMicros >= 0)
            AddBin(key, HistogramKind.IngestLatency, DDSketch.BinOf((Int128)latencyMicros * 10), 1);
        if (!customerId.IsEmpty)
            AddUnique(key, 0, HyperLogLog.EntryOf(StableHash.Of(customerId)));
        if (!merchantId.IsEmpty)
            AddUnique(key, 1, HyperLogLog.EntryOf(StableHash.Of(merchantId)));
        AddCountry(key, CountryCodes.IdOf(country), 1);
        var (figure, sample) = _keys[key];
        if (!sample.IsBeyond(idHash))
            sample.Add(new(idHash, amountScaled, figure.PaymentMethod, figure.Currency));
    }

    /// <summary>Adds to a bucket of a rule.</summary>
    /// <param name="metricType">What the rule computes: count, sum, average, ratio or percentage.</param>
    /// <param name="windowStart">Microseconds since the Unix epoch, as is the end.</param>
    /// <param name="count">Events of the rule's scope.</param>
    /// <param name="matched">Events that meet the numerator's condition.</param>
    /// <param name="sum">Exact, times 10,000, as are min and max.</param>
    /// <param name="min">Null when no event had a value, as is max.</param>
    public void AddBucket(string ruleName, string ruleVersion, string metricType, string groupKey, long windowStart, long windowEnd, long count, long matched, Int128 sum, Int128? min, Int128? max)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(windowEnd, windowStart);
        var key = new BucketKey(windowStart, DatabaseText.Clean(ruleName, MaxTextLength), DatabaseText.Clean(ruleVersion, MaxTextLength), DatabaseText.Clean(groupKey, MaxTextLength), windowEnd);
        var sums = new BucketSums(metricType, count, matched, sum, min, max);
        ref var bucket = ref CollectionsMarshal.GetValueRefOrAddDefault(_buckets, key, out var exists);
        bucket = exists ? bucket.Plus(sums) : sums;
    }

    public void Clear()
    {
        _keyIds.Clear();
        _keys.Clear();
        Empty(_bins);
        Empty(_countries);
        _buckets.Clear();
        _uniques.Clear();
        if (_uniques.Capacity > MaxKept)
            _uniques.TrimExcess();
        foreach (var sample in _samples.Values.Take(MaxSpare - _spare.Count))
        {
            sample.Clear();
            _spare.Push(sample);
        }

        _samples.Clear();
    }

    private static void Empty(Dictionary<ulong, long> table)
    {
        table.Clear();
        if (table.Capacity > MaxKept)
            table.TrimExcess();
    }

    private ClusterSample SampleOf(long window)
    {
        ref var sample = ref CollectionsMarshal.GetValueRefOrAddDefault(_samples, window, out _);
        return sample ??= _spare.TryPop(out var spare) ? spare : new();
    }

    private void AddBin(int key, HistogramKind kind, int bin, long count) =>
        CollectionsMarshal.GetValueRefOrAddDefault(_bins, ((ulong)(uint)key << BinShift) | ((ulong)kind << KindShift) | (uint)(bin + 1), out _) += count;

    private void AddUnique(int key, int kind, uint entry) => _uniques.Add(((ulong)(uint)key << 32) | ((ulong)(uint)kind << EntryBits) | entry);

    private void AddCountry(int key, int country, long count) =>
        CollectionsMarshal.GetValueRefOrAddDefault(_countries, ((ulong)(uint)key << CountryShift) | (uint)country, out _) += count;
}
