using System.Buffers.Binary;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>Offsets and timestamps (microseconds since the Unix epoch).</summary>
internal sealed class Int64Column(ColumnSchema schema, PageCompressor compressor) : ColumnBuilder(schema, compressor)
{
    private long _min = long.MaxValue;
    private long _max = long.MinValue;
    private bool _any;

    public void AppendNullable(long? value)
    {
        if (value is { } known)
            Append(known);
        else
            AppendNull();
    }

    public void Append(long value)
    {
        Levels.AddValue();
        BinaryPrimitives.WriteInt64LittleEndian(Page.Reserve(sizeof(long)), value);
        Page.Advance(sizeof(long));
        _min = Math.Min(_min, value);
        _max = Math.Max(_max, value);
        _any = true;
    }

    public static byte[] Bytes(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }

    protected override ColumnStatistics TakeStatistics() => _any ? new(Bytes(_min), Bytes(_max)) : default;

    protected override void Reset()
    {
        base.Reset();
        _min = long.MaxValue;
        _max = long.MinValue;
        _any = false;
    }
}
