using System.Buffers.Binary;

namespace PaymentPlatform.Query.Lookup;

/// <summary>Where the filters of an archive file are in the <see cref="FilterStore"/>.</summary>
/// <param name="Sha256">The archive file's, lower case hex.</param>
/// <param name="Position">Of the first page.</param>
/// <param name="BlockCounts">Blocks of each row group's filter; empty for a file that has no filters.</param>
internal sealed record StoredFilters(string Sha256, long Position, int[] BlockCounts)
{
    public int Blocks { get; } = BlockCounts.Sum();

    /// <summary>Names the owner of the pages.</summary>
    public ulong Owner { get; } = BinaryPrimitives.ReadUInt64LittleEndian(Convert.FromHexString(Sha256));

    /// <summary>Where the record ends.</summary>
    public long End => Position + FilterPages.Bytes(Blocks);
}
