using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>
/// What the events of one batch gave: hits, and buckets to add up. Not thread-safe. Used again and again after <see cref="Clear"/>.
/// Memory: at most 2 × 120 bytes × <see cref="KeyCount"/> for the buckets, 2 × the group keys' texts (at most 800 bytes each, typically 20), and about 600 bytes a hit.
/// The caller ends its batch when <see cref="KeyCount"/> or <see cref="Bytes"/> reach its limit.
/// </summary>
public sealed class RuleOutput
{
    private const byte FormatVersion = 1;
    private const int KeptKeys = 65_536;
    private const int BytesOfBucket = 2 * 120;
    private const int BytesOfHit = 600;

    private readonly Dictionary<BucketKey, Entry> _buckets = [];
    private readonly List<RuleHit> _hits = [];
    private ArrayBufferWriter<byte> _texts = new(4_096);
    private RuleSet? _rules;

    public IReadOnlyList<RuleHit> Hits => _hits;

    /// <summary>Buckets.</summary>
    public int KeyCount => _buckets.Count;

    /// <summary>About how much memory it holds.</summary>
    public long Bytes => (long)_buckets.Count * BytesOfBucket + 2L * _texts.WrittenCount + (long)_hits.Count * BytesOfHit;

    /// <summary>In no order.</summary>
    public IEnumerable<(RuleBucket Bucket, BucketValues Values)> Buckets => _buckets.Select(pair => (Name(pair.Key, pair.Value), pair.Value.Values));

    public void Clear()
    {
        // A batch of many keys must not hold its memory for ever.
        var trim = _buckets.Capacity > KeptKeys;
        _buckets.Clear();
        _hits.Clear();
        if (trim)
            Shrink();
        else
            _texts.ResetWrittenCount();
        _rules = null;
    }

    /// <summary>Adds another one of the same rule set; its hits go behind these.</summary>
    /// <exception cref="ArgumentException">It is of another rule set: merge their serialised buckets instead.</exception>
    public void Merge(RuleOutput other)
    {
        if (other._rules is null)
            return;
        Belong(other._rules);
        _hits.AddRange(other._hits);
        foreach (var (key, bucket) in other._buckets)
        {
            ref var mine = ref CollectionsMarshal.GetValueRefOrAddDefault(_buckets, key, out var exists);
            if (!exists)
            {
                (mine.TextStart, mine.TextLength) = (_texts.WrittenCount, bucket.TextLength);
                _texts.Write(other._texts.WrittenSpan.Slice(bucket.TextStart, bucket.TextLength));
            }

            mine.Values.Merge(bucket.Values);
        }
    }

    /// <summary>Writes the buckets in their compact form, which <see cref="RuleBucketSet"/> reads; hits are not part of it. Nothing is written when there is no bucket.</summary>
    public void WriteBuckets(IBufferWriter<byte> output)
    {
        if (_buckets.Count == 0)
            return;
        output.WriteByte(FormatVersion);
        foreach (var byRule in _buckets.GroupBy(pair => pair.Key.Rule).OrderBy(g => g.Key))
        {
            var rule = _rules!.Rules[byRule.Key];
            output.WriteText(rule.Name);
            output.WriteUnsigned((ulong)rule.Version);
            output.WriteByte((byte)rule.MetricType);
            output.WriteUnsigned((ulong)rule.WindowMicros);
            output.WriteUnsigned((ulong)byRule.Count());
            foreach (var (key, bucket) in byRule)
                BucketFormat.Write(output, _texts.WrittenSpan.Slice(bucket.TextStart, bucket.TextLength), key.Window, bucket.Values);
        }
    }

    internal void Belong(RuleSet rules)
    {
        if (_rules is not null && _rules != rules)
            throw new ArgumentException("The results are of two rule sets: end the batch before another version is taken.");
        _rules = rules;
    }

    internal void Add(in RuleHit hit) => _hits.Add(hit);

    internal ref BucketValues Bucket(in BucketKey key, EventView e, EventField[] group)
    {
        ref var bucket = ref CollectionsMarshal.GetValueRefOrAddDefault(_buckets, key, out var exists);
        if (!exists)
        {
            bucket.TextStart = _texts.WrittenCount;
            GroupKeyText.Write(_texts, e, group);
            bucket.TextLength = _texts.WrittenCount - bucket.TextStart;
        }

        return ref bucket.Values;
    }

    private void Shrink()
    {
        _buckets.TrimExcess();
        _texts = new(4_096);
    }

    private RuleBucket Name(in BucketKey key, in Entry bucket)
    {
        var rule = _rules!.Rules[key.Rule];
        var (start, length) = (key.Window * rule.WindowMicros, rule.WindowMicros);
        return new(rule.Name, rule.Version, rule.MetricType, Encoding.UTF8.GetString(_texts.WrittenSpan.Slice(bucket.TextStart, bucket.TextLength)), start, start + length);
    }

    private struct Entry
    {
        public BucketValues Values;
        public int TextStart;
        public int TextLength;
    }
}
