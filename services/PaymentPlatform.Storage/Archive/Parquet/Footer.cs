using System.Buffers.Binary;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>The file's metadata, its length, and the closing magic.</summary>
internal static class Footer
{
    public const string SchemaVersionKey = "payment_platform.schema_version";

    /// <summary>xxHash64 of all Bloom filters, headers and bits, in the file's order: a part of a file can't be checked by the file's own hash.</summary>
    public const string FiltersChecksumKey = "payment_platform.bloom_filters_xxh64";

    private static readonly string s_createdBy = $"PaymentPlatform version {typeof(Footer).Assembly.GetName().Version!.ToString(3)}";

    public static ReadOnlySpan<byte> Magic => "PAR1"u8;

    public static void Write(ByteBuffer output, IReadOnlyList<FooterRowGroup> groups, ulong filtersChecksum)
    {
        var start = output.Length;
        var thrift = new ThriftWriter(output).BeginStruct();
        thrift.Int32(1, 1);
        WriteSchema(thrift);
        thrift.Int64(3, groups.Sum(g => (long)g.Rows));
        thrift.BeginStructList(4, groups.Count);
        for (var i = 0; i < groups.Count; i++)
            WriteRowGroup(thrift, groups[i], i);
        thrift.BeginStructList(5, 2);
        WriteKeyValue(thrift, SchemaVersionKey, ParquetSerializer.SchemaVersion.ToString());
        WriteKeyValue(thrift, FiltersChecksumKey, filtersChecksum.ToString("x16"));
        thrift.Text(6, s_createdBy);
        // Each column sorts as its type says: without this readers must ignore the statistics of texts and decimals.
        thrift.BeginStructList(7, ArchiveSchema.Columns.Length);
        foreach (var _ in ArchiveSchema.Columns)
        {
            thrift.BeginStruct().Empty(1);
            thrift.EndStruct();
        }

        thrift.EndStruct();
        var length = output.Length - start;
        BinaryPrimitives.WriteInt32LittleEndian(output.Reserve(sizeof(int)), length);
        output.Advance(sizeof(int));
        output.Append(Magic);
    }

    private static void WriteKeyValue(ThriftWriter thrift, string key, string value)
    {
        thrift.BeginStruct().Text(1, key);
        thrift.Text(2, value);
        thrift.EndStruct();
    }

    private static void WriteSchema(ThriftWriter thrift)
    {
        thrift.BeginStructList(2, ArchiveSchema.Columns.Length + 1);
        thrift.BeginStruct().Text(4, ArchiveSchema.RootName);
        thrift.Int32(5, ArchiveSchema.Columns.Length);
        thrift.EndStruct();
        foreach (var column in ArchiveSchema.Columns)
            column.Write(thrift);
    }

    private static void WriteRowGroup(ThriftWriter thrift, FooterRowGroup group, int ordinal)
    {
        thrift.BeginStruct();
        thrift.BeginStructList(1, group.Chunks.Count);
        foreach (var chunk in group.Chunks)
            chunk.Write(thrift, group.Offset);
        thrift.Int64(2, group.Chunks.Sum(c => c.UncompressedBytes));
        thrift.Int64(3, group.Rows);
        thrift.Int64(5, group.Offset);
        thrift.Int64(6, group.Chunks.Sum(c => c.CompressedBytes));
        thrift.Int16(7, (short)ordinal);
        thrift.EndStruct();
    }
}

