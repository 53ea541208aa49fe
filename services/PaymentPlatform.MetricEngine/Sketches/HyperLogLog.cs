using System.Buffers;
using System.Numerics;

namespace PaymentPlatform.MetricEngine.Sketches;

/// <summary>
/// How many different texts there were, within 2 % (standard error 0.6 %; exact but for a handful up to <see cref="MaxSparse"/>). Few are kept as their hashes' first 25 bits (sparse), many as 32,768 registers (dense, 24 KiB).
/// Which form it has follows from the set of texts alone: merging equals the union byte by byte, whatever the order. The estimate is Ertl's improved one (arXiv:1702.01284), which needs no tables.
/// </summary>
public sealed class HyperLogLog
{
    public const int MaxSparse = 4_096;

    private const byte Version = 1, Sparse = 0, Dense = 1;
    private const int Precision = 15, SparsePrecision = 25;
    private const int Registers = 1 << Precision;
    private const int MaxRank = 64 - Precision + 1, MaxSparseRank = 64 - SparsePrecision + 1;
    private const int RankBits = 6;
    private const int MaxPending = 1_024;

    private byte[]? _registers;

    // Ordered; one entry an index, the one with the highest rank.
    private uint[] _entries = [];
    private readonly List<uint> _pending = [];

    /// <summary>What a hash tells: the register at the sparse precision and the number of its leading zeros behind it.</summary>
    public static uint EntryOf(ulong hash)
    {
        var index = (uint)(hash >> (64 - SparsePrecision));
        var rest = (hash << SparsePrecision) | (1ul << (SparsePrecision - 1));
        return (index << RankBits) | (uint)(BitOperations.LeadingZeroCount(rest) + 1);
    }

    /// <summary>Whether <see cref="EntryOf"/> can give it.</summary>
    public static bool IsEntry(uint entry) => entry <= int.MaxValue && (entry & 63) is > 0 and <= MaxSparseRank;

    public void Add(ReadOnlySpan<byte> utf8) => AddEntry(EntryOf(StableHash.Of(utf8)));

    /// <param name="entry">Of <see cref="EntryOf"/>.</param>
    public void AddEntry(uint entry)
    {
        if (_registers is not null)
        {
            AddDense(entry);
            return;
        }

        _pending.Add(entry);
        if (_pending.Count >= MaxPending)
            Settle();
    }

    public void Merge(HyperLogLog other)
    {
        other.Settle();
        if (other._registers is { } registers)
        {
            MakeDense();
            for (var i = 0; i < Registers; i++)
                _registers![i] = Math.Max(_registers[i], registers[i]);
            return;
        }

        foreach (var entry in other._entries)
            AddEntry(entry);
    }

    /// <summary>How many different texts were added, about.</summary>
    public long Estimate()
    {
        Settle();
        if (_registers is not null)
            return (long)Math.Round(EstimateDense(_registers));
        const double m = 1 << SparsePrecision;
        return (long)Math.Round(m * Math.Log(m / (m - _entries.Length)));
    }

    /// <summary>Version and form, then the entries as differences, or the registers at six bits each.</summary>
    public byte[] ToBytes()
    {
        Settle();
        var output = new ArrayBufferWriter<byte>(64);
        output.WriteByte(Version);
        output.WriteByte(_registers is null ? Sparse : Dense);
        if (_registers is not null)
        {
            Pack(_registers, output.GetSpan(Registers * RankBits / 8));
            output.Advance(Registers * RankBits / 8);
            return output.WrittenSpan.ToArray();
        }

        output.WriteNumber((ulong)_entries.Length);
        uint previous = 0;
        foreach (var entry in _entries)
        {
            output.WriteNumber(entry - previous);
            previous = entry;
        }

        return output.WrittenSpan.ToArray();
    }

    /// <exception cref="SketchFormatException">The bytes are none that <see cref="ToBytes"/> writes.</exception>
    public static HyperLogLog FromBytes(ReadOnlySpan<byte> bytes)
    {
        var sketch = new HyperLogLog();
        sketch.MergeBytes(bytes);
        return sketch;
    }

    /// <inheritdoc cref="FromBytes"/>
    public void MergeBytes(ReadOnlySpan<byte> bytes)
    {
        var reader = new SketchReader(bytes, "unique-count sketch");
        reader.ReadVersion(Version);
        var form = reader.ReadByte();
        if (form == Dense)
            ReadDense(ref reader);
        else if (form == Sparse)
            ReadSparse(ref reader);
        else
            throw reader.Bad($"there is no form {form}");
        reader.End();
    }

    private void ReadDense(ref SketchReader reader)
    {
        var packed = reader.ReadBytes(Registers * RankBits / 8);
        var registers = new byte[Registers];
        for (var i = 0; i < Registers; i += 4)
        {
            var bits = packed[i / 4 * 3] | (packed[(i / 4 * 3) + 1] << 8) | (packed[(i / 4 * 3) + 2] << 16);
            for (var j = 0; j < 4; j++)
            {
                registers[i + j] = (byte)((bits >> (RankBits * j)) & 63);
                if (registers[i + j] > MaxRank)
                    throw reader.Bad("a register is too large");
            }
        }

        MakeDense();
        for (var i = 0; i < Registers; i++)
            _registers![i] = Math.Max(_registers[i], registers[i]);
    }

    private void ReadSparse(ref SketchReader reader)
    {
        var count = reader.ReadCount();
        if (count > MaxSparse)
            throw reader.Bad("there are too many entries for this form");
        uint entry = 0;
        for (var i = 0; i < count; i++)
        {
            var next = entry + (uint)reader.ReadNumber(int.MaxValue - entry);
            if (i > 0 && next >> RankBits == entry >> RankBits)
                throw reader.Bad("an entry comes twice");
            if (!IsEntry(next))
                throw reader.Bad("an entry's rank is not possible");
            entry = next;
            AddEntry(entry);
        }
    }

    private void Settle()
    {
        if (_pending.Count == 0)
            return;
        _pending.Sort();
        var merged = new uint[_entries.Length + _pending.Count];
        int count = 0, at = 0;
        foreach (var pending in _pending)
        {
            while (at < _entries.Length && _entries[at] <= pending)
                count = Append(merged, count, _entries[at++]);
            count = Append(merged, count, pending);
        }

        while (at < _entries.Length)
            count = Append(merged, count, _entries[at++]);
        _pending.Clear();
        _entries = merged[..count];
        if (count > MaxSparse)
            MakeDense();
    }

    /// <summary>Entries come in order, so of one index the highest rank comes last.</summary>
    private static int Append(uint[] entries, int count, uint next)
    {
        if (count > 0 && entries[count - 1] >> RankBits == next >> RankBits)
            count--;
        entries[count] = next;
        return count + 1;
    }

    private void MakeDense()
    {
        if (_registers is not null)
            return;
        _registers = new byte[Registers];
        foreach (var entry in _entries)
            AddDense(entry);
        foreach (var entry in _pending)
            AddDense(entry);
        _entries = [];
        _pending.Clear();
    }

    private void AddDense(uint entry)
    {
        const int Between = SparsePrecision - Precision;
        var index = entry >> (RankBits + Between);
        var below = (entry >> RankBits) & ((1u << Between) - 1);
        var rank = below == 0 ? Between + (entry & 63) : (uint)(BitOperations.LeadingZeroCount(below) - (32 - Between) + 1);
        if (rank > _registers![index])
            _registers[index] = (byte)rank;
    }

    private static void Pack(byte[] registers, Span<byte> output)
    {
        for (var i = 0; i < Registers; i += 4)
        {
            var bits = registers[i] | (registers[i + 1] << RankBits) | (registers[i + 2] << (2 * RankBits)) | (registers[i + 3] << (3 * RankBits));
            output[i / 4 * 3] = (byte)bits;
            output[(i / 4 * 3) + 1] = (byte)(bits >> 8);
            output[(i / 4 * 3) + 2] = (byte)(bits >> 16);
        }
    }

    private static double EstimateDense(byte[] registers)
    {
        const int q = 64 - Precision;
        const double m = Registers;
        var counts = new int[q + 2];
        foreach (var register in registers)
            counts[register]++;
        var z = m * Tau((m - counts[q + 1]) / m);
        for (var k = q; k >= 1; k--)
            z = 0.5 * (z + counts[k]);
        z += m * Sigma(counts[0] / m);
        return m * m / (2 * Math.Log(2) * z);
    }

    private static double Sigma(double x)
    {
        if (x == 1)
            return double.PositiveInfinity;
        double y = 1, z = x, before;
        do
        {
            x *= x;
            before = z;
            z += x * y;
            y += y;
        }
        while (before != z);
        return z;
    }

    private static double Tau(double x)
    {
        if (x is 0 or 1)
            return 0;
        double y = 1, z = 1 - x, before;
        do
        {
            x = Math.Sqrt(x);
            before = z;
            y *= 0.5;
            z -= (1 - x) * (1 - x) * y;
        }
        while (before != z);
        return z / 3;
    }
}
