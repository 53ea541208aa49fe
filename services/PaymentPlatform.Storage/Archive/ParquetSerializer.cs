using System.IO.Hashing;
using PaymentPlatform.Storage.Archive.Parquet;

namespace PaymentPlatform.Storage.Archive;

/// <summary>From parsed events to one Parquet file, and back. Written by our own encoder, read by Parquet.Net (docs/adr/0003-own-parquet-encoder.md).</summary>
public static class ParquetSerializer
{
    /// <summary>The version of the columns; kept in each file's metadata and in the manifest.</summary>
    public const int SchemaVersion = 1;

    /// <summary>The columns' names, in file order.</summary>
    public static IReadOnlyList<string> ColumnNames { get; } = [.. ArchiveSchema.Columns.Select(c => c.Name)];

    /// <summary>
    /// Makes a file of all rows of the buffer. CPU work, no I/O: run it where that does no harm. The buffer stays as it is and may be cleared or serialised again;
    /// the file does not depend on it.
    /// </summary>
    /// <param name="archivedAtMicros">Microseconds since the Unix epoch, for every row that does not have its own.</param>
    /// <exception cref="InvalidOperationException">The buffer has no rows.</exception>
    public static ParquetFile Serialize(RawEventBuffer buffer, long archivedAtMicros)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        if (buffer.RowCount == 0)
            throw new InvalidOperationException("A Parquet file without rows is never written.");

        buffer.Seal();
        var content = new List<ReadOnlyMemory<byte>>();
        var groups = new List<FooterRowGroup>(buffer.Groups.Count);
        // The small parts between the groups' contents; each slice is taken only when all of them are written, as the array may move.
        var small = new ByteBuffer(16 * 1024);
        var pieces = new List<(int Start, int End, PooledSegments Then)>();
        small.Append(Footer.Magic);
        long offset = small.Length;
        var start = 0;
        foreach (var group in buffer.Groups)
        {
            pieces.Add((start, small.Length, group.Content));
            start = small.Length;
            var archivedAt = group.ArchivedAt ?? ConstantChunk.Write(ArchiveSchema.ArchivedAt, archivedAtMicros, group.Rows, group.Content.Length, small);
            groups.Add(new(offset, group.Rows, InSchemaOrder(group.Chunks, archivedAt)));
            offset += group.Content.Length + small.Length - start;
        }

        // The filters lie together in front of the footer: one read from the file's end gets them all.
        var filters = new List<ReadOnlyMemory<byte>>(groups.Count);
        var checksum = new XxHash64();
        for (var i = 0; i < groups.Count; i++)
            groups[i] = groups[i] with { Chunks = [.. groups[i].Chunks.Select(chunk => PlaceFilter(chunk, groups[i].Offset))] };

        var footer = small.Length;
        Footer.Write(small, groups, checksum.GetCurrentHashAsUInt64());
        foreach (var piece in pieces)
        {
            content.Add(small.WrittenMemory[piece.Start..piece.End]);
            piece.Then.AddTo(content);
        }

        content.Add(small.WrittenMemory[start..footer]);
        content.AddRange(filters);
        content.Add(small.WrittenMemory[footer..]);

        return new(content, buffer.Groups, [.. buffer.Groups.Select(g => new ExpectedRowGroup(g.Rows, g.OffsetSum))]);

        ColumnChunk PlaceFilter(ColumnChunk chunk, long groupOffset)
        {
            if (chunk.BloomFilter is not { } filter)
                return chunk;
            var placed = chunk with { BloomFilterOffset = offset - groupOffset };
            filters.Add(filter);
            checksum.Append(filter);
            offset += filter.Length;
            return placed;
        }
    }

    /// <summary>Opens the finished file with independent code and compares schema, counts, stream offsets and hash with what was to be written.</summary>
    /// <exception cref="InvalidDataException">The file is not what it should be; it must not be stored.</exception>
    public static Task VerifyAsync(ParquetFile file, CancellationToken cancellationToken) => ArchiveVerifier.VerifyAsync(file, cancellationToken);

    /// <summary>The events of an archived file in their order, a row group in memory at a time.</summary>
    /// <param name="parquet">Readable and seekable; left open.</param>
    /// <exception cref="InvalidDataException">Not a file of this archive, damaged, or of a newer schema version.</exception>
    public static IAsyncEnumerable<ArchivedEvent> ReadAsync(Stream parquet, CancellationToken cancellationToken) =>
        ArchiveReader.ReadAsync(parquet, cancellationToken);

    private static ColumnChunk[] InSchemaOrder(IReadOnlyList<ColumnChunk> chunks, ColumnChunk archivedAt)
    {
        var at = Array.IndexOf(ArchiveSchema.Columns, ArchiveSchema.ArchivedAt);
        return [.. chunks.Take(at), archivedAt, .. chunks.Skip(at)];
    }
}
