using System.Buffers;
using System.Runtime.InteropServices;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>
/// What is folded rather than written by each commit: percentiles, unique customers and merchants, countries, cluster samples and buckets of rules. Gathered from events, or merged from the bytes of other deltas; any split of the same
/// events into deltas merges to the same. Adding allocates for what is new only: everything lies in a few tables that are used again after <see cref="Clear"/>.
/// </summary>
/// <remarks>Memory: per event at most two bins, two unique entries and a country, each 40 bytes at most, and 64 bytes of a sample (which ends at 400 a window); per key and per bucket about 300 bytes.</remarks>
public sealed partial class MetricDelta
{
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
    private readonly RuleBucketSet _buckets = new();

    /// <summary>Buckets as the rules wrote them, until somebody asks for them: a commit only passes them on.</summary>
    private readonly ArrayBufferWriter<byte> _writtenBuckets = new();

    public bool IsEmpty => _keys.Count == 0 && _buckets.Count == 0 && _writtenBuckets.WrittenCount == 0;

    /// <summary>Keys of figures.</summary>
    public int KeyCount => _keys.Count;

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
        // First what can fail: nothing is half added.
        var amount = DDSketch.BinOf(amountScaled);
        // Milliseconds, scaled as amounts are.
        int? latency = latencyMicros >= 0 ? DDSketch.BinOf((Int128)latencyMicros * 10) : null;
        AddBin(key, HistogramKind.TransactionAmount, amount, 1);
        if (latency is { } bin)
            AddBin(key, HistogramKind.IngestLatency, bin, 1);
        if (!customerId.IsEmpty)
            AddUnique(key, 0, HyperLogLog.EntryOf(StableHash.Of(customerId)));
        if (!merchantId.IsEmpty)
            AddUnique(key, 1, HyperLogLog.EntryOf(StableHash.Of(merchantId)));
        AddCountry(key, CountryCodes.IdOf(country), 1);
        var (figure, sample) = _keys[key];
        if (!sample.IsBeyond(idHash))
            sample.Add(new(idHash, amountScaled, figure.PaymentMethod, figure.Currency));
    }

    /// <summary>Takes over the buckets of a batch's rules.</summary>
    public void AddBuckets(RuleOutput rules)
    {
        AbsorbBuckets();
        rules.WriteBuckets(_writtenBuckets);
    }

    /// <summary>Adds to a bucket of a rule.</summary>
    internal void AddBucket(in RuleBucket bucket, in BucketValues values) => _buckets.Add(bucket, values);

    public void Clear()
    {
        _keyIds.Clear();
        _keys.Clear();
        Empty(_bins);
        Empty(_countries);
        _buckets.Clear();
        _writtenBuckets.ResetWrittenCount();
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

    private void AbsorbBuckets()
    {
        _buckets.Add(_writtenBuckets.WrittenSpan);
        _writtenBuckets.ResetWrittenCount();
    }
}
