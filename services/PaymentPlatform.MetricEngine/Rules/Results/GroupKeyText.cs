using System.Buffers;
using System.Globalization;
using System.Text;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Writes group keys as a JSON array of texts, bounded so that they can be part of a database key.</summary>
internal static class GroupKeyText
{
    /// <summary>Of a value, escaped. A longer one is cut and ends in <c>…#</c> and its hash.</summary>
    private const int MostBytes = 256;
    private const int KeptBytes = 200;

    private static readonly byte[] HexDigits = "0123456789abcdef"u8.ToArray();

    public static void Write(ArrayBufferWriter<byte> output, EventView e, EventField[] group)
    {
        output.WriteByte((byte)'[');
        for (var i = 0; i < group.Length; i++)
        {
            if (i > 0)
                output.WriteByte((byte)',');
            if (e.TryValue(group[i], out var value, out _))
                WriteValue(output, value, e.HashOf(group[i]));
            else
                output.Write("null"u8);
        }

        output.WriteByte((byte)']');
    }

    private static void WriteValue(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> value, UInt128 hash)
    {
        output.WriteByte((byte)'"');
        var (kept, size) = (0, 0);
        var cut = 0;
        for (; kept < value.Length && size <= MostBytes; kept++)
        {
            // Never inside of a character.
            if (size <= KeptBytes && (value[kept] & 0xC0) != 0x80)
                cut = kept;
            size += Escaped(value[kept]);
        }

        var whole = size <= MostBytes;
        foreach (var b in whole ? value : value[..cut])
            WriteEscaped(output, b);
        if (!whole)
            output.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"…#{(ulong)hash:x16}")));
        output.WriteByte((byte)'"');
    }

    private static int Escaped(byte b) => b < 0x20 ? 6 : b is (byte)'"' or (byte)'\\' ? 2 : 1;

    private static void WriteEscaped(ArrayBufferWriter<byte> output, byte b)
    {
        if (b < 0x20)
        {
            output.Write("\\u00"u8);
            output.WriteByte(HexDigits[b >> 4]);
            output.WriteByte(HexDigits[b & 15]);
            return;
        }

        if (b is (byte)'"' or (byte)'\\')
            output.WriteByte((byte)'\\');
        output.WriteByte(b);
    }
}
