using System.Buffers.Binary;
using System.IO.Hashing;
using PaymentPlatform.Storage.Archive;

namespace PaymentPlatform.Query.Lookup;

/// <summary>
/// How filters' blocks lie on disk: in pages of up to 127 blocks (about 4 kB) with an xxHash64 behind each, so that one block can be read and trusted without the rest.
/// The hash is seeded by whose page it is and which: another's page does not pass for it.
/// </summary>
internal static class FilterPages
{
    private const int BlocksPerPage = 127;
    private const int HashBytes = sizeof(ulong);

    /// <summary>The largest page, in bytes.</summary>
    public const int MaxBytes = (BlocksPerPage * BloomProbe.BlockBytes) + HashBytes;

    /// <summary>Bytes on disk of so many blocks.</summary>
    public static long Bytes(int blocks) => ((long)blocks * BloomProbe.BlockBytes) + ((blocks + BlocksPerPage - 1L) / BlocksPerPage * HashBytes);

    /// <summary>The page of a block.</summary>
    /// <returns>Its place behind the first page, its bytes with the hash, and the block's place in it.</returns>
    public static (long Offset, int Bytes, int BlockOffset) Find(int block, int blocks)
    {
        var page = block / BlocksPerPage;
        var inPage = Math.Min(BlocksPerPage, blocks - (page * BlocksPerPage));
        return ((long)page * MaxBytes, (inPage * BloomProbe.BlockBytes) + HashBytes, block % BlocksPerPage * BloomProbe.BlockBytes);
    }

    /// <param name="bits">Whole blocks.</param>
    /// <param name="owner">Names whose they are.</param>
    /// <param name="pages">Of <see cref="Bytes"/>.</param>
    public static void Write(ReadOnlySpan<byte> bits, ulong owner, Span<byte> pages)
    {
        for (var page = 0; bits.Length > 0; page++)
        {
            var count = Math.Min(bits.Length, BlocksPerPage * BloomProbe.BlockBytes);
            bits[..count].CopyTo(pages);
            BinaryPrimitives.WriteUInt64LittleEndian(pages[count..], Hash(bits[..count], owner, page));
            bits = bits[count..];
            pages = pages[(count + HashBytes)..];
        }
    }

    /// <returns>False when a page is damaged.</returns>
    public static bool TryRead(ReadOnlySpan<byte> pages, ulong owner, Span<byte> bits)
    {
        for (var page = 0; bits.Length > 0; page++)
        {
            var count = Math.Min(bits.Length, BlocksPerPage * BloomProbe.BlockBytes);
            if (!IsSound(pages[..(count + HashBytes)], owner, page))
                return false;
            pages[..count].CopyTo(bits);
            bits = bits[count..];
            pages = pages[(count + HashBytes)..];
        }

        return true;
    }

    /// <param name="page">One page with its hash.</param>
    /// <param name="block">A block of it.</param>
    public static bool IsSoundFor(ReadOnlySpan<byte> page, ulong owner, int block) => IsSound(page, owner, block / BlocksPerPage);

    private static bool IsSound(ReadOnlySpan<byte> page, ulong owner, int index) =>
        BinaryPrimitives.ReadUInt64LittleEndian(page[^HashBytes..]) == Hash(page[..^HashBytes], owner, index);

    private static ulong Hash(ReadOnlySpan<byte> bits, ulong owner, int page) => XxHash64.HashToUInt64(bits, unchecked((long)(owner + (ulong)page)));
}
