using System.Buffers.Text;
using System.Text;

namespace PaymentPlatform.Events;

/// <summary>The escapes of JSON strings, for the parser's checks and for whoever looks for a text in bytes that need not be JSON.</summary>
public static class JsonEscapes
{
    private const byte NotAscii = 0xFF;

    /// <param name="raw">A string's content as the reader accepted it.</param>
    internal static EscapeDefects Check(ReadOnlySpan<byte> raw)
    {
        var defects = EscapeDefects.None;
        for (var i = raw.IndexOf((byte)'\\'); i >= 0 && i < raw.Length;)
        {
            if (raw[i] != '\\')
            {
                var next = raw[i..].IndexOf((byte)'\\');
                if (next < 0)
                    break;
                i += next;
            }

            if (!TryUnit(raw[i..], out var unit))
            {
                i += 2;
                continue;
            }

            i += 6;
            if (unit == 0)
                defects |= EscapeDefects.Nul;
            else if (char.IsLowSurrogate(unit))
                defects |= EscapeDefects.LoneSurrogate;
            else if (char.IsHighSurrogate(unit))
            {
                if (TryUnit(raw[i..], out var second) && char.IsLowSurrogate(second))
                    i += 6;
                else
                    defects |= EscapeDefects.LoneSurrogate;
            }
        }

        return defects;
    }

    /// <summary>
    /// One byte for each character that is escaped or ASCII: enough to see digits, separators and field names, whatever their spelling.
    /// Takes broken escapes as they stand, so that it also serves text that is no JSON.
    /// </summary>
    /// <param name="raw">The text with its escapes.</param>
    /// <param name="logical">At least as long as <paramref name="raw"/>.</param>
    /// <param name="offsets">Where each logical byte starts in <paramref name="raw"/>, and the end: one element more than <paramref name="raw"/> has. Empty when not wanted.</param>
    /// <returns>The number of logical bytes.</returns>
    internal static int Decode(ReadOnlySpan<byte> raw, Span<byte> logical, Span<int> offsets)
    {
        var count = 0;
        for (var i = 0; i < raw.Length;)
        {
            if (!offsets.IsEmpty)
                offsets[count] = i;
            if (raw[i] != '\\' || i + 1 == raw.Length)
                logical[count++] = raw[i++];
            else if (TryUnit(raw[i..], out var unit))
                (logical[count++], i) = (unit < 0x80 ? (byte)unit : NotAscii, i + 6);
            else
                (logical[count++], i) = (Simple(raw[i + 1]), i + 2);
        }

        if (!offsets.IsEmpty)
            offsets[count] = raw.Length;
        return count;
    }

    /// <summary>
    /// The text as it reads once its escapes are taken away, in UTF-8. Takes broken escapes as they stand, so that it also serves text that is no JSON; half a surrogate pair becomes U+FFFD.
    /// </summary>
    /// <param name="raw">The text with its escapes.</param>
    /// <param name="utf8">At least as long as <paramref name="raw"/>; may be the same bytes.</param>
    /// <returns>The number of bytes written.</returns>
    public static int DecodeUtf8(ReadOnlySpan<byte> raw, Span<byte> utf8)
    {
        var count = 0;
        for (var i = 0; i < raw.Length;)
        {
            if (raw[i] != '\\' || i + 1 == raw.Length)
            {
                utf8[count++] = raw[i++];
                continue;
            }

            if (!TryUnit(raw[i..], out var unit))
            {
                (utf8[count++], i) = (Simple(raw[i + 1]), i + 2);
                continue;
            }

            i += 6;
            var rune = Rune.ReplacementChar;
            if (char.IsHighSurrogate(unit) && TryUnit(raw[i..], out var second) && Rune.TryCreate(unit, second, out var pair))
                (rune, i) = (pair, i + 6);
            else if (Rune.TryCreate(unit, out var single))
                rune = single;
            count += rune.EncodeToUtf8(utf8[count..]);
        }

        return count;
    }

    private static bool TryUnit(ReadOnlySpan<byte> escape, out char unit)
    {
        unit = default;
        if (escape.Length < 6 || escape[0] != '\\' || escape[1] != 'u' || !Utf8Parser.TryParse(escape.Slice(2, 4), out ushort value, out var used, 'x') || used != 4)
            return false;
        unit = (char)value;
        return true;
    }

    private static byte Simple(byte escaped) => escaped switch
    {
        (byte)'n' => (byte)'\n',
        (byte)'t' => (byte)'\t',
        (byte)'r' => (byte)'\r',
        (byte)'b' => (byte)'\b',
        (byte)'f' => (byte)'\f',
        _ => escaped,
    };
}
