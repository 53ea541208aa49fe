using System.Buffers;
using System.Runtime.InteropServices;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Buckets of any rules and versions, merged from what <see cref="RuleOutput.WriteBuckets"/> wrote.</summary>
public sealed class RuleBucketSet
{
    private const byte FormatVersion = 1;
    private const int SmallestBucket = 8;

    private readonly Dictionary<RuleBucket, BucketValues> _buckets = [];

    public int Count => _buckets.Count;

    public IReadOnlyDictionary<RuleBucket, BucketValues> Buckets => _buckets;

    public void Add(in RuleBucket bucket, in BucketValues values) => CollectionsMarshal.GetValueRefOrAddDefault(_buckets, bucket, out _).Merge(values);

    /// <summary>Adds up what is written in the blob; an empty one has nothing.</summary>
    /// <exception cref="InvalidDataException">The bytes are broken.</exception>
    public void Add(ReadOnlySpan<byte> blob)
    {
        var reader = new BlobReader(blob);
        if (reader.IsAtEnd)
            return;
        if (reader.ReadByte() != FormatVersion)
            throw BlobReader.Broken();
        while (!reader.IsAtEnd)
        {
            var (name, version, type, length) = (reader.ReadText(), reader.ReadInt(), (MetricType)reader.ReadByte(), (long)reader.ReadUnsigned());
            if (!Enum.IsDefined(type) || length <= 0)
                throw BlobReader.Broken();
            for (var left = reader.ReadCount(SmallestBucket - 1); left > 0; left--)
            {
                var (group, start) = (reader.ReadText(), reader.ReadSigned() * length);
                Add(new(name, version, type, group, start, start + length), BucketFormat.Read(ref reader));
            }
        }
    }

    /// <summary>Writes all buckets in the same compact form, ordered: the same buckets give the same bytes.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        if (_buckets.Count == 0)
            return;
        output.WriteByte(FormatVersion);
        var byRule = _buckets.GroupBy(p => (p.Key.RuleName, p.Key.RuleVersion, p.Key.MetricType, Length: p.Key.WindowEndMicros - p.Key.WindowStartMicros));
        foreach (var rule in byRule.OrderBy(r => r.Key.RuleName, StringComparer.Ordinal).ThenBy(r => r.Key.RuleVersion).ThenBy(r => r.Key.MetricType).ThenBy(r => r.Key.Length))
        {
            output.WriteText(rule.Key.RuleName);
            output.WriteUnsigned((ulong)rule.Key.RuleVersion);
            output.WriteByte((byte)rule.Key.MetricType);
            output.WriteUnsigned((ulong)rule.Key.Length);
            output.WriteUnsigned((ulong)rule.Count());
            foreach (var (bucket, values) in rule.OrderBy(p => p.Key.WindowStartMicros).ThenBy(p => p.Key.GroupKey, StringComparer.Ordinal))
                BucketFormat.Write(output, System.Text.Encoding.UTF8.GetBytes(bucket.GroupKey), bucket.WindowStartMicros / rule.Key.Length, values);
        }
    }

    public void Clear() => _buckets.Clear();
}
