using System.Buffers.Binary;

namespace PaymentPlatform.Storage.Archive.Parquet;

internal sealed class Int32Column(ColumnSchema schema, PageCompressor compressor) : ColumnBuilder(schema, compressor)
{
    private int _min = int.MaxValue;
    private int _max = int.MinValue;

    public void Append(int value)
    {
        Levels.AddValue();
        BinaryPrimitives.WriteInt32LittleEndian(Page.Reserve(sizeof(int)), value);
        Page.Advance(sizeof(int));
        _min = Math.Min(_min, value);
        _max = Math.Max(_max, value);
    }

    protected override ColumnStatistics TakeStatistics() => _min > _max ? default : new(Bytes(_min), Bytes(_max));

    protected override void Reset()
    {
        base.Reset();
        _min = int.MaxValue;
        _max = int.MinValue;
    }

    private static byte[] Bytes(int value)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }
}
