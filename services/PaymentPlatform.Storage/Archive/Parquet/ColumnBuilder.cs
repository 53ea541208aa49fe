namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>
/// Builds one column chunk of a row group, page by page: a page is compressed as soon as it is full, so that memory follows the compressed size.
/// </summary>
internal abstract class ColumnBuilder(ColumnSchema schema, PageCompressor compressor)
{
    /// <summary>A page's values stay below this, unless a single value is larger.</summary>
    public const int PageBytes = 1 << 20;

    /// <summary>Room before a page's values for the levels of a page without nulls or without values, so that the values need no copy.</summary>
    private const int LevelsRoom = 16;

    private readonly ByteBuffer _chunk = new(4096);
    private readonly ByteBuffer _levels = new(64);
    private int _rows;
    private int _nulls;
    private long _uncompressed;
    private int? _dictionaryPage;
    private int? _firstDataPage;
    private int _plainPages;
    private int _dictionaryEncodedPages;

    public ColumnSchema Schema { get; } = schema;

    protected DefinitionLevels Levels { get; } = new();

    /// <summary>The open page: room for the levels, then PLAIN values.</summary>
    protected ByteBuffer Page { get; } = StartedPage();

    protected int PageValueBytes => Page.Length - LevelsRoom;

    /// <summary>Memory that data holds.</summary>
    public virtual long BufferedBytes => _chunk.Length + PageValueBytes;

    public void AppendNull()
    {
        if (Schema.Required)
            throw new InvalidOperationException($"{Schema.Name} is required.");
        Levels.AddNull();
    }

    /// <summary>Ends the chunk, hands its bytes to <paramref name="output"/>, and starts the next one.</summary>
    public ColumnChunk Finish(PooledSegments output)
    {
        Complete();
        var statistics = TakeStatistics();
        var start = output.Length;
        var chunk = new ColumnChunk(
            Schema, PageCodec.Zstd, _rows, _nulls, start, start + _dictionaryPage, start + _firstDataPage!.Value, _chunk.Length, _uncompressed,
            _plainPages, _dictionaryEncodedPages, statistics) { BloomFilter = TakeBloomFilter() };
        output.Append(_chunk.Written);
        Reset();
        return chunk;
    }

    /// <summary>Forgets everything; memory far beyond the usual need is given back.</summary>
    public void Clear() => Reset();

    /// <summary>Writes what is still open as pages.</summary>
    protected virtual void Complete()
    {
        if (Levels.Count > 0)
            FlushPage(PageEncoding.Plain);
    }

    /// <summary>The chunk's bounds; they start anew.</summary>
    protected abstract ColumnStatistics TakeStatistics();

    /// <summary>The chunk's Bloom filter as a file holds it, or null; it starts anew.</summary>
    protected virtual byte[]? TakeBloomFilter() => null;

    protected virtual void Reset()
    {
        _rows = _nulls = _plainPages = _dictionaryEncodedPages = 0;
        _uncompressed = 0;
        _dictionaryPage = _firstDataPage = null;
        _chunk.Trim(16 * PageBytes);
        Page.Trim(4 * PageBytes);
        Page.SetLength(LevelsRoom);
        Levels.Clear();
    }

    protected void WriteDictionaryPage(ReadOnlySpan<byte> plain, int count)
    {
        _dictionaryPage = _chunk.Length;
        WritePage(plain, PageKind.Dictionary, PageEncoding.Plain, count);
    }

    /// <summary>Compresses the open page into the chunk.</summary>
    protected void FlushPage(PageEncoding encoding)
    {
        _rows += Levels.Count;
        _nulls += Levels.Nulls;
        if (encoding == PageEncoding.Plain)
            _plainPages++;
        else
            _dictionaryEncodedPages++;
        _firstDataPage ??= _chunk.Length;
        WritePage(Body(), PageKind.Data, encoding, Levels.Count);
        Levels.Clear();
        Page.Trim(4 * PageBytes);
        Page.SetLength(LevelsRoom);
    }

    private static ByteBuffer StartedPage()
    {
        var page = new ByteBuffer(4096);
        page.SetLength(LevelsRoom);
        return page;
    }

    private ReadOnlySpan<byte> Body()
    {
        if (Schema.Required)
            return Page.Written[LevelsRoom..];

        _levels.Trim(4 * PageBytes);
        Levels.Write(_levels);
        if (_levels.Length <= LevelsRoom)
        {
            _levels.Written.CopyTo(Page.WrittenMutable[(LevelsRoom - _levels.Length)..]);
            return Page.Written[(LevelsRoom - _levels.Length)..];
        }

        _levels.Append(Page.Written[LevelsRoom..]);
        return _levels.Written;
    }

    private void WritePage(ReadOnlySpan<byte> body, PageKind kind, PageEncoding encoding, int values)
    {
        var compressed = compressor.Compress(body);
        var before = _chunk.Length;
        PageHeader.Write(_chunk, kind, encoding, values, body.Length, compressed.Length);
        _uncompressed += _chunk.Length - before + body.Length;
        _chunk.Append(compressed);
    }
}
