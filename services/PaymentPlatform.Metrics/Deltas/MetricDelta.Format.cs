using System.Buffers;
using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>
/// The bytes: version; keys in order, each with its bins by kind, unique entries by kind, and countries; samples by window; buckets in order. Equal deltas have equal bytes.
/// </summary>
public sealed partial class MetricDelta
{
    private const byte Version = 1;

    public void Write(IBufferWriter<byte> output)
    {
        output.WriteByte(Version);
        WriteKeys(output);
        output.WriteNumber((ulong)_samples.Count);
        foreach (var (window, sample) in _samples.OrderBy(s => s.Key))
        {
            output.WriteSigned(window);
            sample.Write(output);
        }

        output.WriteNumber((ulong)_buckets.Count);
        foreach (var (key, sums) in _buckets.OrderBy(b => b.Key))
            WriteBucket(output, key, sums);
    }

    /// <summary>Adds what another delta's bytes hold.</summary>
    /// <exception cref="SketchFormatException">The bytes are none that <see cref="Write"/> writes; what was added so far stays.</exception>
    public void Merge(ReadOnlySpan<byte> bytes)
    {
        var reader = new SketchReader(bytes, "metric delta");
        reader.ReadVersion(Version);
        for (var keys = reader.ReadCount(); keys > 0; keys--)
            ReadKey(ref reader);
        for (var samples = reader.ReadCount(); samples > 0; samples--)
            SampleOf(ReadTime(ref reader)).Merge(ref reader);
        for (var buckets = reader.ReadCount(); buckets > 0; buckets--)
            ReadBucket(ref reader);
        reader.End();
    }

    private void WriteKeys(IBufferWriter<byte> output)
    {
        var bins = Sorted(_bins);
        var countries = Sorted(_countries);
        var uniques = _uniques.ToArray();
        Array.Sort(uniques);
        output.WriteNumber((ulong)_keys.Count);
        foreach (var (key, id) in _keyIds.OrderBy(k => k.Key))
        {
            output.WriteSigned(key.WindowStart);
            output.WriteText(key.PaymentMethod);
            output.WriteText(key.Currency);
            output.WriteText(key.PaymentStatus);
            for (var kind = 0; kind < HistogramKinds.Count; kind++)
                WriteCounts(output, Range(bins, b => b.Key >> KindShift, ((ulong)id << (BinShift - KindShift)) | (uint)kind), (1 << KindShift) - 1);
            for (var kind = 0; kind < 2; kind++)
                WriteEntries(output, Range(uniques, u => u >> EntryBits, ((ulong)id << 1) | (uint)kind));
            var ofKey = Range(countries, c => c.Key >> CountryShift, (ulong)id);
            output.WriteNumber((ulong)ofKey.Length);
            foreach (var (packed, count) in ofKey)
            {
                output.WriteText(CountryCodes.Name((int)(packed & 0xFF)));
                output.WriteNumber((ulong)count);
            }
        }
    }

    private static void WriteCounts(IBufferWriter<byte> output, ReadOnlySpan<KeyValuePair<ulong, long>> bins, ulong mask)
    {
        output.WriteNumber((ulong)bins.Length);
        ulong previous = 0;
        foreach (var (packed, count) in bins)
        {
            output.WriteNumber((packed & mask) - previous);
            output.WriteNumber((ulong)count);
            previous = packed & mask;
        }
    }

    private static void WriteEntries(IBufferWriter<byte> output, ReadOnlySpan<ulong> uniques)
    {
        output.WriteNumber((ulong)uniques.Length);
        uint previous = 0;
        foreach (var packed in uniques)
        {
            var entry = (uint)packed & int.MaxValue;
            output.WriteNumber(entry - previous);
            previous = entry;
        }
    }

    private static void WriteBucket(IBufferWriter<byte> output, BucketKey key, BucketSums sums)
    {
        output.WriteSigned(key.WindowStart);
        output.WriteSigned(key.WindowEnd);
        output.WriteText(key.RuleName);
        output.WriteText(key.RuleVersion);
        output.WriteText(key.GroupKey);
        output.WriteText(sums.MetricType);
        output.WriteNumber((ulong)sums.Count);
        output.WriteNumber((ulong)sums.Matched);
        output.WriteSigned(sums.Sum);
        output.WriteByte(sums.Min is null ? (byte)0 : (byte)1);
        if (sums.Min is not { } min)
            return;
        output.WriteSigned(min);
        output.WriteSigned(sums.Max ?? min);
    }

    private void ReadKey(ref SketchReader reader)
    {
        var id = IdOf(new(ReadTime(ref reader), reader.ReadText(), reader.ReadText(), reader.ReadText()));
        for (var kind = 0; kind < HistogramKinds.Count; kind++)
        {
            var bin = 0;
            for (var bins = reader.ReadCount(); bins > 0; bins--)
            {
                bin += (int)reader.ReadNumber(DDSketch.MaxBin + 1 - bin);
                if (reader.ReadNumber(long.MaxValue >> 8) is not (> 0 and var count))
                    throw reader.Bad("a bin is empty");
                AddBin(id, (HistogramKind)kind, bin - 1, count);
            }
        }

        for (var kind = 0; kind < 2; kind++)
        {
            uint entry = 0;
            for (var entries = reader.ReadCount(); entries > 0; entries--)
            {
                entry += (uint)reader.ReadNumber(int.MaxValue - entry);
                if (!HyperLogLog.IsEntry(entry))
                    throw reader.Bad("an entry of a unique count is not possible");
                AddUnique(id, kind, entry);
            }
        }

        for (var countries = reader.ReadCount(); countries > 0; countries--)
        {
            var name = reader.ReadText();
            AddCountry(id, CountryCodes.Find(name) ?? throw reader.Bad($"'{name}' is no country"), reader.ReadNumber(long.MaxValue >> 8));
        }
    }

    private void ReadBucket(ref SketchReader reader)
    {
        long start = ReadTime(ref reader), end = ReadTime(ref reader);
        if (end <= start)
            throw reader.Bad("a window ends before it begins");
        string name = reader.ReadText(), version = reader.ReadText(), group = reader.ReadText(), type = reader.ReadText();
        long count = reader.ReadNumber(long.MaxValue >> 8), matched = reader.ReadNumber(long.MaxValue >> 8);
        var sum = reader.ReadSigned();
        var valued = reader.ReadByte() != 0;
        AddBucket(name, version, type, group, start, end, count, matched, sum, valued ? reader.ReadSigned() : null, valued ? reader.ReadSigned() : null);
    }

    private static long ReadTime(ref SketchReader reader) =>
        reader.ReadSigned() is var time && time >= long.MinValue / 4 && time <= long.MaxValue / 4 ? (long)time : throw reader.Bad("a time is out of range");

    private static KeyValuePair<ulong, long>[] Sorted(Dictionary<ulong, long> table)
    {
        var pairs = table.ToArray();
        Array.Sort(pairs, static (a, b) => a.Key.CompareTo(b.Key));
        return pairs;
    }

    /// <summary>Those of the sorted items that belong to the owner.</summary>
    private static ReadOnlySpan<T> Range<T>(T[] sorted, Func<T, ulong> owner, ulong wanted)
    {
        int from = Lower(wanted), to = Lower(wanted + 1);
        return sorted.AsSpan(from, to - from);

        int Lower(ulong value)
        {
            int low = 0, high = sorted.Length;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (owner(sorted[middle]) < value)
                    low = middle + 1;
                else
                    high = middle;
            }

            return low;
        }
    }
}
