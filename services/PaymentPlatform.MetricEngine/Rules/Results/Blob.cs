using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Writes numbers in as few bytes as they need.</summary>
internal static class Blob
{
    private const int MostVarint = 19;

    public static void WriteByte(this IBufferWriter<byte> output, byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    public static void WriteUnsigned(this IBufferWriter<byte> output, UInt128 value)
    {
        var span = output.GetSpan(MostVarint);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)((byte)value | 0x80);
        span[length++] = (byte)value;
        output.Advance(length);
    }

    public static void WriteUnsigned(this IBufferWriter<byte> output, ulong value)
    {
        var span = output.GetSpan(MostVarint);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)((byte)value | 0x80);
        span[length++] = (byte)value;
        output.Advance(length);
    }

    public static void WriteSigned(this IBufferWriter<byte> output, long value) => output.WriteUnsigned((ulong)(value << 1) ^ (ulong)(value >> 63));

    public static void WriteSigned(this IBufferWriter<byte> output, Int128 value) => output.WriteUnsigned((UInt128)(value << 1) ^ (UInt128)(value >> 127));

    public static void WriteHash(this IBufferWriter<byte> output, UInt128 hash)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(output.GetSpan(16), hash);
        output.Advance(16);
    }

    public static void WriteBytes(this IBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        output.WriteUnsigned((ulong)bytes.Length);
        output.Write(bytes);
    }

    public static void WriteText(this IBufferWriter<byte> output, string text) => output.WriteBytes(Encoding.UTF8.GetBytes(text));
}
