namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>A column chunk of one repeated timestamp: a dictionary of one, and one run.</summary>
internal static class ConstantChunk
{
    private const int BitWidth = 1;

    public static ColumnChunk Write(ColumnSchema schema, long value, int rows, long start, ByteBuffer output)
    {
        var from = output.Length;
        var bytes = Int64Column.Bytes(value);
        PageHeader.Write(output, PageKind.Dictionary, PageEncoding.Plain, 1, bytes.Length, bytes.Length);
        output.Append(bytes);

        var dataPage = output.Length - from;
        var body = new ByteBuffer(16);
        body.AppendByte(BitWidth);
        HybridEncoder.Run(0, rows, BitWidth, body);
        PageHeader.Write(output, PageKind.Data, PageEncoding.RleDictionary, rows, body.Length, body.Length);
        output.Append(body.Written);

        var size = output.Length - from;
        return new(schema, PageCodec.Uncompressed, rows, 0, start, start, start + dataPage, size, size, 0, 1, new(bytes, bytes));
    }
}
