namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>Exact bytes, always PLAIN and without bounds: nobody filters payloads by range.</summary>
internal sealed class BinaryColumn(ColumnSchema schema, PageCompressor compressor) : ColumnBuilder(schema, compressor)
{
    public void Append(ReadOnlySpan<byte> value)
    {
        if (PageValueBytes + value.Length > PageBytes && PageValueBytes > 0)
            FlushPage(PageEncoding.Plain);
        Levels.AddValue();
        Page.AppendPlain(value);
    }

    protected override ColumnStatistics TakeStatistics() => default;
}
