using System.Buffers.Binary;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>decimal(19,4) as nine bytes, big-endian two's complement.</summary>
internal sealed class DecimalColumn(ColumnSchema schema, PageCompressor compressor) : ColumnBuilder(schema, compressor)
{
    private const int Int128Bytes = 16;

    private static readonly Int128 s_limit = Int128.Parse("10000000000000000000");

    private Int128 _min = Int128.MaxValue;
    private Int128 _max = Int128.MinValue;

    public static bool Fits(Int128 scaled) => scaled < s_limit && scaled > -s_limit;

    public void AppendNullable(Int128? scaled)
    {
        if (scaled is { } value)
            Append(value);
        else
            AppendNull();
    }

    protected override ColumnStatistics TakeStatistics() => _min > _max ? default : new(Bytes(_min), Bytes(_max));

    protected override void Reset()
    {
        base.Reset();
        _min = Int128.MaxValue;
        _max = Int128.MinValue;
    }

    private void Append(Int128 value)
    {
        Levels.AddValue();
        Write(value, Page.Reserve(ColumnSchema.DecimalLength));
        Page.Advance(ColumnSchema.DecimalLength);
        if (value < _min)
            _min = value;
        if (value > _max)
            _max = value;
    }

    private static byte[] Bytes(Int128 value)
    {
        var bytes = new byte[ColumnSchema.DecimalLength];
        Write(value, bytes);
        return bytes;
    }

    private static void Write(Int128 value, Span<byte> destination)
    {
        Span<byte> bytes = stackalloc byte[Int128Bytes];
        BinaryPrimitives.WriteInt128BigEndian(bytes, value);
        bytes[^ColumnSchema.DecimalLength..].CopyTo(destination);
    }
}
