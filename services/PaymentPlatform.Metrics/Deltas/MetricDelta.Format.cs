using System.Buffers;
using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>
/// The bytes: version; keys in order, each with its bins by kind, unique entries by kind, and countries; samples by window; buckets, merged ones and those of the batch.
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

        // Merged ones first: a commit has none, and passes on what its rules wrote.
        var merged = new ArrayBufferWriter<byte>();
        _buckets.Write(merged);
        WriteBlob(output, merged.WrittenSpan);
        WriteBlob(output, _writtenBuckets.WrittenSpan);
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
        ReadBuckets(ref reader);
        ReadBuckets(ref reader);
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

    private static void WriteBlob(IBufferWriter<byte> output, ReadOnlySpan<byte> blob)
    {
        output.WriteNumber((ulong)blob.Length);
        output.Write(blob);
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
                AddBin(id, (HistogramKind)kind, bin - 1, ReadCount(ref reader));
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
            AddCountry(id, CountryCodes.Find(name) ?? throw reader.Bad($"'{name}' is no country"), ReadCount(ref reader));
        }
    }

    private void ReadBuckets(ref SketchReader reader)
    {
        var length = reader.ReadNumber(reader.Remaining);
        try
        {
            _buckets.Add(reader.ReadBytes((int)length));
        }
        catch (Exception exception) when (exception is InvalidDataException or ArgumentException or OverflowException)
        {
            throw reader.Bad($"its buckets are broken ({exception.Message})");
        }
    }

    private static long ReadCount(ref SketchReader reader) => reader.ReadNumber(long.MaxValue >> 8) is > 0 and var count ? count : throw reader.Bad("a count is 0");

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
