namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>Numbers of the Parquet format. <see href="https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift"/></summary>
internal enum PhysicalType
{
    Boolean = 0,
    Int32 = 1,
    Int64 = 2,
    ByteArray = 6,
    FixedLengthByteArray = 7,
}

internal enum PageEncoding
{
    Plain = 0,
    Rle = 3,
    RleDictionary = 8,
}

internal enum PageCodec
{
    Uncompressed = 0,
    Zstd = 6,
}

internal enum PageKind
{
    Data = 0,
    Dictionary = 2,
}
