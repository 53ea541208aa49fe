using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>
/// Parquet's split-block Bloom filter of one column chunk. It is filled at its full size and halved at the end for as long as it stays selective enough: so it fits the distinct values without counting them.
/// Sizes are powers of two, which the format leaves open but Arrow's C++ readers (ClickHouse, Velox) insist on.
/// </summary>
internal sealed class BloomFilterBuilder
{
    /// <summary>
    /// At most this share of absent values passes. A look-up asks every row group of the archive: at 1 % each hundredth of them would be fetched and opened for nothing. 25,000 values take 64 KiB, 1.3 % of their row group.
    /// </summary>
    public const double MaxFalsePositives = 0.001;

    /// <summary>For <see cref="MaxFalsePositives"/>, by the format's own table.</summary>
    private const double BitsPerValue = 16.9;

    private const int MaxValues = 1 << 20;

    private readonly Vector256<uint>[] _blocks;

    /// <param name="values">Values at most; more make it less selective.</param>
    public BloomFilterBuilder(int values)
    {
        var blocks = Math.Min(values, MaxValues) * BitsPerValue / (8 * BloomProbe.BlockBytes);
        _blocks = new Vector256<uint>[BitOperations.RoundUpToPowerOf2((uint)Math.Ceiling(blocks))];
    }

    /// <param name="value">Without a length; again is harmless.</param>
    public void Add(ReadOnlySpan<byte> value)
    {
        var probe = new BloomProbe(value);
        _blocks[probe.Block(_blocks.Length)] |= probe.Mask;
    }

    public void Clear() => Array.Clear(_blocks);

    /// <summary>The header and the bits as a file holds them. What was added is forgotten.</summary>
    public byte[] Finish()
    {
        var blocks = _blocks.AsSpan();
        while (blocks.Length > 1 && FalsePositivesOfHalf(blocks) <= MaxFalsePositives)
        {
            blocks = blocks[..(blocks.Length / 2)];
            // A block's index is the hash's upper bits: the halved filter's block is that of two neighbours.
            for (var i = 0; i < blocks.Length; i++)
                _blocks[i] = _blocks[2 * i] | _blocks[(2 * i) + 1];
        }

        var bits = MemoryMarshal.AsBytes(blocks);
        var header = new ByteBuffer(32);
        BloomFilterHeader.Write(header, bits.Length);
        byte[] filter = [.. header.Written, .. bits];
        Clear();
        return filter;
    }

    /// <summary>The share of values with all eight bits set, were the filter halved.</summary>
    private static double FalsePositivesOfHalf(ReadOnlySpan<Vector256<uint>> blocks)
    {
        double sum = 0;
        for (var i = 0; i < blocks.Length; i += 2)
        {
            var block = blocks[i] | blocks[i + 1];
            double share = 1;
            for (var word = 0; word < Vector256<uint>.Count; word++)
                share *= BitOperations.PopCount(block[word]) / 32.0;
            sum += share;
        }

        return sum / (blocks.Length / 2);
    }
}
