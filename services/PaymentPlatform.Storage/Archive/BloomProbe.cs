using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PaymentPlatform.Storage.Archive;

/// <summary>
/// One value as Parquet's split-block Bloom filters see it: xxHash64 of its bytes; the upper half chooses a block of 32 bytes, the lower half one bit in each of its eight words.
/// <see href="https://github.com/apache/parquet-format/blob/master/BloomFilter.md"/>
/// </summary>
public readonly struct BloomProbe
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockBytes = 32;

    private static readonly Vector256<uint> s_salt = Vector256.Create(0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU, 0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U);

    private readonly ulong _hash;

    /// <param name="value">The value's bytes, without a length.</param>
    public BloomProbe(ReadOnlySpan<byte> value)
    {
        _hash = XxHash64.HashToUInt64(value);
        Mask = Bits((s_salt * (uint)_hash) >>> 27);
    }

    /// <summary>The bits to look for, the same in every filter.</summary>
    public Vector256<uint> Mask { get; }

    /// <param name="blocks">How many blocks the filter has.</param>
    /// <returns>The block's index in it.</returns>
    public int Block(int blocks) => (int)(((_hash >> 32) * (uint)blocks) >> 32);

    /// <param name="bitset">A filter's whole blocks.</param>
    /// <returns>False: the value is not among those that the filter was made of. True: probably it is.</returns>
    public bool MayBeIn(ReadOnlySpan<byte> bitset) => MayBeInBlock(bitset.Slice(Block(bitset.Length / BlockBytes) * BlockBytes, BlockBytes));

    /// <param name="block">The 32 bytes of this value's block.</param>
    public bool MayBeInBlock(ReadOnlySpan<byte> block) => Vector256.AndNot(Mask, Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(MemoryMarshal.Cast<byte, uint>(block)))) == Vector256<uint>.Zero;

    private static Vector256<uint> Bits(Vector256<uint> shifts)
    {
        if (Avx2.IsSupported)
            return Avx2.ShiftLeftLogicalVariable(Vector256<uint>.One, shifts);
        Span<uint> words = stackalloc uint[Vector256<uint>.Count];
        for (var i = 0; i < words.Length; i++)
            words[i] = 1U << (int)shifts[i];
        return Vector256.Create<uint>(words);
    }
}
