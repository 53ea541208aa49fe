namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>Bounds of a column chunk in the column's own sort order; null where there is no value or no useful bound.</summary>
internal readonly record struct ColumnStatistics(byte[]? Min, byte[]? Max, bool MinExact = true, bool MaxExact = true)
{
    public void Write(ThriftWriter thrift, int field, long nullCount)
    {
        thrift.BeginStruct(field).Int64(3, nullCount);
        if (Min is not null && Max is not null)
        {
            thrift.Binary(5, Max);
            thrift.Binary(6, Min);
            thrift.Bool(7, MaxExact);
            thrift.Bool(8, MinExact);
        }

        thrift.EndStruct();
    }
}
