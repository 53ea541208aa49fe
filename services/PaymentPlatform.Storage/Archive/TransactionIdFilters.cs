using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using PaymentPlatform.Storage.Archive.Parquet;

namespace PaymentPlatform.Storage.Archive;

/// <summary>The Bloom filters of an archive file's <c>transaction_id</c>, one a row group, read from the file's end alone.</summary>
public sealed class TransactionIdFilters
{
    /// <summary>The footer's length and the magic.</summary>
    private const int EndBytes = 8;

    /// <summary>About what the footer says about one row group; the schema is as large.</summary>
    private const int FooterBytesPerGroup = 8 << 10;

    private const int FilterBytesPerGroup = 64 << 10;

    private TransactionIdFilters(byte[] bits, int[] blockCounts) => (Bits, BlockCounts) = (bits, blockCounts);

    /// <summary>The filters' bits, one after the other in the row groups' order.</summary>
    public byte[] Bits { get; }

    /// <summary>How many blocks of <see cref="BloomProbe.BlockBytes"/> each has.</summary>
    public IReadOnlyList<int> BlockCounts { get; }

    /// <summary>How much of a file's end most likely holds its filters and its footer.</summary>
    public static long EstimateBytes(long rows, long fileBytes) =>
        Math.Min(fileBytes, (((rows + RawEventBuffer.DefaultRowsPerGroup - 1) / RawEventBuffer.DefaultRowsPerGroup) * (FilterBytesPerGroup + FooterBytesPerGroup)) + FooterBytesPerGroup);

    /// <summary>Reads and checks the filters.</summary>
    /// <param name="tail">The file's last bytes.</param>
    /// <param name="fileBytes">The whole file's size.</param>
    /// <param name="rows">The file's rows, as the manifest has them.</param>
    /// <param name="needed">More than <paramref name="tail"/> has: so many of the file's last bytes are needed, call again. Else 0.</param>
    /// <returns>Null when <paramref name="needed"/> says so, or when the file has no filters that can be checked: a file from before there were any, or of another writer.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, or not the manifest's.</exception>
    public static TransactionIdFilters? Read(ReadOnlySpan<byte> tail, long fileBytes, long rows, out long needed)
    {
        needed = 0;
        if (tail.Length < EndBytes || !tail[^4..].SequenceEqual(Footer.Magic))
            throw new InvalidDataException("The file does not end as a Parquet file does.");
        var footerBytes = BinaryPrimitives.ReadInt32LittleEndian(tail[^EndBytes..]);
        if (footerBytes < 0 || footerBytes > fileBytes - EndBytes)
            throw new InvalidDataException("The length of the file's footer is damaged.");
        if (IsMissing(tail, needed = footerBytes + EndBytes))
            return null;

        var footer = FilterFooter.Read(tail.Slice(tail.Length - EndBytes - footerBytes, footerBytes));
        needed = 0;
        if (footer.Rows != rows)
            throw new InvalidDataException($"The file has {footer.Rows} rows, the manifest {rows}.");
        if (footer.Checksum is null)
            return null;
        if (footer.Filters.Count == 0 || footer.Filters.Exists(f => f.Offset < 0 || f.Length <= 0 || f.Offset + f.Length > fileBytes - EndBytes - footerBytes))
            throw new InvalidDataException("The places of the file's Bloom filters are damaged.");
        if (IsMissing(tail, needed = fileBytes - footer.Filters.Min(f => f.Offset)))
            return null;

        needed = 0;
        return Take(tail, fileBytes, footer);
    }

    private static TransactionIdFilters Take(ReadOnlySpan<byte> tail, long fileBytes, FilterFooter footer)
    {
        var checksum = new XxHash64();
        var bits = new byte[footer.Filters.Sum(f => f.Length)];
        var blockCounts = new int[footer.Filters.Count];
        var written = 0;
        for (var i = 0; i < blockCounts.Length; i++)
        {
            var (offset, length) = footer.Filters[i];
            var filter = tail.Slice((int)(offset - fileBytes + tail.Length), length);
            checksum.Append(filter);
            var header = new ThriftReader(filter);
            var size = BloomFilterHeader.Read(ref header);
            if (header.Position + size != length)
                throw new InvalidDataException("The length of a Bloom filter is damaged.");
            filter[header.Position..].CopyTo(bits.AsSpan(written));
            written += size;
            blockCounts[i] = size / BloomProbe.BlockBytes;
        }

        if (checksum.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture) != footer.Checksum)
            throw new InvalidDataException("The file's Bloom filters are damaged: their checksum is not that of the footer.");
        return new(bits.AsSpan(0, written).ToArray(), blockCounts);
    }

    private static bool IsMissing(ReadOnlySpan<byte> tail, long needed) => needed > tail.Length;
}
