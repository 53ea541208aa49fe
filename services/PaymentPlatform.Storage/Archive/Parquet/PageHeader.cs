namespace PaymentPlatform.Storage.Archive.Parquet;

internal static class PageHeader
{
    public static void Write(ByteBuffer output, PageKind kind, PageEncoding encoding, int values, int uncompressedBytes, int compressedBytes)
    {
        var thrift = new ThriftWriter(output).BeginStruct();
        thrift.Int32(1, (int)kind);
        thrift.Int32(2, uncompressedBytes);
        thrift.Int32(3, compressedBytes);
        if (kind == PageKind.Dictionary)
        {
            thrift.BeginStruct(7).Int32(1, values);
            thrift.Int32(2, (int)encoding);
        }
        else
        {
            thrift.BeginStruct(5).Int32(1, values);
            thrift.Int32(2, (int)encoding);
            thrift.Int32(3, (int)PageEncoding.Rle);
            thrift.Int32(4, (int)PageEncoding.Rle);
        }

        thrift.EndStruct();
        thrift.EndStruct();
    }
}
