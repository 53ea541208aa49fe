using System.Buffers;
using System.Text;

namespace PaymentPlatform.MetricEngine.Sketches;

/// <summary>The few forms that serialised sketches and deltas are made of. Numbers are LEB128: seven bits a byte, the lowest first.</summary>
public static class SketchWriter
{
    public static void WriteByte(this IBufferWriter<byte> output, byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    public static void WriteNumber(this IBufferWriter<byte> output, ulong value)
    {
        var span = output.GetSpan(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        output.Advance(length);
    }

    /// <summary>Small negative numbers stay small (zigzag).</summary>
    public static void WriteSigned(this IBufferWriter<byte> output, Int128 value)
    {
        var zigzag = (UInt128)((value << 1) ^ (value >> 127));
        var span = output.GetSpan(19);
        var length = 0;
        for (; zigzag >= 0x80; zigzag >>= 7)
            span[length++] = (byte)((byte)zigzag | 0x80);
        span[length++] = (byte)zigzag;
        output.Advance(length);
    }

    public static void WriteText(this IBufferWriter<byte> output, string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        output.WriteNumber((ulong)length);
        output.Advance(Encoding.UTF8.GetBytes(text, output.GetSpan(Math.Max(1, length))));
    }
}
