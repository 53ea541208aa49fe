using System.Buffers;
using System.Text;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>
/// What the events of one batch gave: hits, and buckets to add up. Not thread-safe. Used again and again after <see cref="Clear"/>.
/// Memory: at most 2 × 136 bytes × <see cref="KeyCount"/> for the buckets, 2 × the group keys' texts (at most 800 bytes each, typically 20), and about 600 bytes a hit.
/// The caller ends its batch when <see cref="KeyCount"/> or <see cref="Bytes"/> reach its limit.
/// </summary>
public sealed class RuleOutput
{
    private const byte FormatVersion = 1;
    private const int KeptKeys = 65_536;
    private const int BytesOfBucket = 2 * 136;
    private const int BytesOfHit = 600;

    private readonly KeyTable<Entry> _buckets = new();
    private readonly List<RuleHit> _hits = [];
    private ArrayBufferWriter<byte> _texts = new(4_096);
    private int[] _byRule = [];
    private RuleSet? _rules;

    public IReadOnlyList<RuleHit> Hits => _hits;

    /// <summary>Buckets.</summary>
    public int KeyCount => _buckets.Count;

    /// <summary>About how much memory it holds.</summary>
    public long Bytes => (long)_buckets.Count * BytesOfBucket + 2L * _texts.WrittenCount + (long)_hits.Count * BytesOfHit;

    /// <summary>In no order.</summary>
    public IEnumerable<(RuleBucket Bucket, BucketValues Values)> Buckets => Enumerable.Range(0, _buckets.End).Select(place => (Name(_buckets[place]), _buckets[place].Values));

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
        for (var place = 0; place < other._buckets.End; place++)
        {
            var key = other._buckets.KeyOf(place);
            ref var bucket = ref other._buckets[place];
            var mine = _buckets.Find(key);
            if (mine == KeyTable<Entry>.None)
            {
                mine = _buckets.Add(key);
                _buckets[mine] = bucket with { TextStart = _texts.WrittenCount };
                _texts.Write(other.TextOf(bucket));
            }
            else
            {
                _buckets[mine].Values.Merge(bucket.Values);
            }
        }
    }

    /// <summary>Writes the buckets in their compact form, which <see cref="RuleBucketSet"/> reads; hits are not part of it. Nothing is written when there is no bucket.</summary>
    public void WriteBuckets(IBufferWriter<byte> output)
    {
        if (_buckets.Count == 0)
            return;
        output.WriteByte(FormatVersion);
        var ends = SortByRule();
        for (var (index, at) = (0, 0); index < ends.Length; index++)
        {
            if (ends[index] == at)
                continue;
            var rule = _rules!.Rules[index];
            output.WriteText(rule.Name);
            output.WriteUnsigned((ulong)rule.Version);
            output.WriteByte((byte)rule.MetricType);
            output.WriteUnsigned((ulong)rule.WindowMicros);
            output.WriteUnsigned((ulong)(ends[index] - at));
            for (; at < ends[index]; at++)
            {
                ref var bucket = ref _buckets[_byRule[at]];
                BucketFormat.Write(output, TextOf(bucket), bucket.Window, bucket.Values);
            }
        }
    }

    internal void Belong(RuleSet rules)
    {
        if (_rules is not null && _rules != rules)
            throw new ArgumentException("The results are of two rule sets: end the batch before another version is taken.");
        _rules = rules;
    }

    internal void Add(in RuleHit hit) => _hits.Add(hit);

    /// <param name="key">Hash of rule, window and group.</param>
    /// <param name="rule">Its place among the rules.</param>
    /// <param name="window">The window's number since the epoch.</param>
    internal ref BucketValues Bucket(UInt128 key, int rule, long window, EventView e, EventField[] group)
    {
        var place = _buckets.Find(key);
        if (place == KeyTable<Entry>.None)
        {
            place = _buckets.Add(key);
            var start = _texts.WrittenCount;
            GroupKeyText.Write(_texts, e, group);
            ref var bucket = ref _buckets[place];
            (bucket.Rule, bucket.Window, bucket.TextStart, bucket.TextLength) = (rule, window, start, _texts.WrittenCount - start);
        }

        return ref _buckets[place].Values;
    }

    private void Shrink()
    {
        _buckets.Shrink();
        _byRule = [];
        _texts = new(4_096);
    }

    /// <summary>Fills <see cref="_byRule"/> with the places, rule by rule.</summary>
    /// <returns>Where each rule's places end.</returns>
    private int[] SortByRule()
    {
        if (_byRule.Length < _buckets.Count)
            _byRule = new int[_buckets.Capacity];
        var ends = new int[_rules!.Rules.Count];
        for (var place = 0; place < _buckets.End; place++)
            ends[_buckets[place].Rule]++;
        for (var (rule, before) = (0, 0); rule < ends.Length; rule++)
            (ends[rule], before) = (before, before + ends[rule]);
        for (var place = 0; place < _buckets.End; place++)
            _byRule[ends[_buckets[place].Rule]++] = place;
        return ends;
    }

    private ReadOnlySpan<byte> TextOf(in Entry bucket) => _texts.WrittenSpan.Slice(bucket.TextStart, bucket.TextLength);

    private RuleBucket Name(in Entry bucket)
    {
        var rule = _rules!.Rules[bucket.Rule];
        var (start, length) = (bucket.Window * rule.WindowMicros, rule.WindowMicros);
        return new(rule.Name, rule.Version, rule.MetricType, Encoding.UTF8.GetString(TextOf(bucket)), start, start + length);
    }

    private struct Entry
    {
        public BucketValues Values;
        public long Window;
        public int Rule;
        public int TextStart;
        public int TextLength;
    }
}
