using System.Buffers.Binary;

namespace PaymentPlatform.Query.Lookup;

/// <summary>Where the filters of an archive file are in the <see cref="FilterStore"/>, which moves them when it is rewritten.</summary>
/// <param name="sha256">The archive file's, lower case hex.</param>
/// <param name="position">Of the first page.</param>
/// <param name="blockCounts">Blocks of each row group's filter; empty for a file that has no filters.</param>
/// <param name="edition">Of the store's file; null: they are in memory alone.</param>
internal sealed class StoredFilters(string sha256, long position, int[] blockCounts, int? edition)
{
    public string Sha256 => sha256;

    public int[] BlockCounts => blockCounts;

    /// <summary>Changed by the store alone, under its lock, together with <see cref="Edition"/>.</summary>
    public long Position { get; set; } = position;

    /// <summary>Which of the store's files the position is meant in.</summary>
    public int? Edition { get; set; } = edition;

    public int Blocks { get; } = blockCounts.Sum();

    /// <summary>Names the owner of the pages.</summary>
    public ulong Owner { get; } = BinaryPrimitives.ReadUInt64LittleEndian(Convert.FromHexString(sha256));

    /// <summary>Where the record begins.</summary>
    public long Start => Position - FilterStore.HeadBytes(blockCounts.Length);

    /// <summary>Where the record ends.</summary>
    public long End => Position + FilterPages.Bytes(Blocks);
}
