namespace PaymentPlatform.Storage.Archive.Parquet;

internal enum Annotation
{
    None,
    Text,
    TimestampMicros,
    Decimal19Scale4,
}

/// <summary>One column of the archive's schema.</summary>
internal sealed record ColumnSchema(string Name, PhysicalType Type, Annotation Annotation = Annotation.None, bool Required = false)
{
    public const int DecimalPrecision = 19;
    public const int DecimalScale = 4;

    /// <summary>The smallest two's complement that holds decimal(19): 10^19 &lt; 2^71.</summary>
    public const int DecimalLength = 9;

    private const int ConvertedUtf8 = 0;
    private const int ConvertedDecimal = 5;
    private const int ConvertedTimestampMicros = 10;

    /// <summary>Writes the schema element: both the logical type and, for older readers, the converted type.</summary>
    public void Write(ThriftWriter thrift)
    {
        thrift.BeginStruct();
        thrift.Int32(1, (int)Type);
        if (Type == PhysicalType.FixedLengthByteArray)
            thrift.Int32(2, DecimalLength);
        thrift.Int32(3, Required ? 0 : 1);
        thrift.Text(4, Name);
        switch (Annotation)
        {
            case Annotation.Text:
                thrift.Int32(6, ConvertedUtf8);
                thrift.BeginStruct(10).Empty(1);
                thrift.EndStruct();
                break;
            case Annotation.TimestampMicros:
                thrift.Int32(6, ConvertedTimestampMicros);
                thrift.BeginStruct(10).BeginStruct(8).Bool(1, true);
                thrift.BeginStruct(2).Empty(2);
                thrift.EndStruct();
                thrift.EndStruct();
                thrift.EndStruct();
                break;
            case Annotation.Decimal19Scale4:
                thrift.Int32(6, ConvertedDecimal);
                thrift.Int32(7, DecimalScale);
                thrift.Int32(8, DecimalPrecision);
                thrift.BeginStruct(10).BeginStruct(5).Int32(1, DecimalScale);
                thrift.Int32(2, DecimalPrecision);
                thrift.EndStruct();
                thrift.EndStruct();
                break;
        }

        thrift.EndStruct();
    }
}
