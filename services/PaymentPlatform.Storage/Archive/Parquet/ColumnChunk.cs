namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>What the footer says about one encoded column chunk. Offsets are relative to the start of its row group.</summary>
internal sealed record ColumnChunk(
    ColumnSchema Schema,
    PageCodec Codec,
    int Rows,
    int Nulls,
    long Start,
    long? DictionaryPage,
    long DataPage,
    long CompressedBytes,
    long UncompressedBytes,
    int PlainPages,
    int DictionaryEncodedPages,
    ColumnStatistics Statistics)
{
    /// <summary>Header and bits; null for none.</summary>
    public byte[]? BloomFilter { get; init; }

    /// <summary>Where the filter is, once the file is put together.</summary>
    public long BloomFilterOffset { get; init; }

    public void Write(ThriftWriter thrift, long groupOffset)
    {
        thrift.BeginStruct();
        thrift.Int64(2, 0);
        thrift.BeginStruct(3);
        thrift.Int32(1, (int)Schema.Type);
        thrift.Int32List(2, Encodings());
        thrift.TextList(3, Schema.Name);
        thrift.Int32(4, (int)Codec);
        thrift.Int64(5, Rows);
        thrift.Int64(6, UncompressedBytes);
        thrift.Int64(7, CompressedBytes);
        thrift.Int64(9, groupOffset + DataPage);
        if (DictionaryPage is { } dictionaryPage)
            thrift.Int64(11, groupOffset + dictionaryPage);
        Statistics.Write(thrift, 12, Nulls);
        WriteEncodingStatistics(thrift);
        if (BloomFilter is not null)
        {
            thrift.Int64(14, groupOffset + BloomFilterOffset);
            thrift.Int32(15, BloomFilter.Length);
        }

        thrift.EndStruct();
        thrift.EndStruct();
    }

    private int[] Encodings()
    {
        var encodings = new List<int> { (int)PageEncoding.Rle };
        if (DictionaryEncodedPages > 0)
            encodings.Add((int)PageEncoding.RleDictionary);
        // A dictionary page's own values are plain.
        encodings.Add((int)PageEncoding.Plain);
        return [.. encodings];
    }

    private void WriteEncodingStatistics(ThriftWriter thrift)
    {
        (PageKind Kind, PageEncoding Encoding, int Count)[] pages =
        [
            (PageKind.Dictionary, PageEncoding.Plain, DictionaryPage is null ? 0 : 1),
            (PageKind.Data, PageEncoding.RleDictionary, DictionaryEncodedPages),
            (PageKind.Data, PageEncoding.Plain, PlainPages),
        ];
        thrift.BeginStructList(13, pages.Count(p => p.Count > 0));
        foreach (var (kind, encoding, count) in pages.Where(p => p.Count > 0))
        {
            thrift.BeginStruct().Int32(1, (int)kind);
            thrift.Int32(2, (int)encoding);
            thrift.Int32(3, count);
            thrift.EndStruct();
        }
    }
}
