using System.Text;

namespace PaymentPlatform.MetricEngine.Sketches;

/// <summary>Reads what <see cref="SketchWriter"/> wrote, from bytes that are not trusted.</summary>
/// <param name="what">What the bytes should be, for the errors.</param>
public ref struct SketchReader(ReadOnlySpan<byte> bytes, string what)
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;

    public readonly int Remaining => _bytes.Length - _at;

    public byte ReadByte() => _at < _bytes.Length ? _bytes[_at++] : throw Bad("they end too early");

    /// <exception cref="SketchFormatException">Another version.</exception>
    public void ReadVersion(byte known)
    {
        var version = ReadByte();
        if (version != known)
            throw Bad($"their version is {version}, this program knows {known}");
    }

    public ulong ReadNumber()
    {
        var value = ReadSeven(64);
        return (ulong)value;
    }

    /// <param name="max">The largest number that makes sense here.</param>
    public long ReadNumber(long max)
    {
        var value = ReadNumber();
        return value <= (ulong)max ? (long)value : throw Bad($"a number is {value} where {max} is the most");
    }

    public Int128 ReadSigned()
    {
        var zigzag = ReadSeven(128);
        return (Int128)(zigzag >> 1) ^ -(Int128)(zigzag & 1);
    }

    /// <summary>A count of things of which each takes at least one byte: a hostile one can't make us reserve memory.</summary>
    public int ReadCount()
    {
        var count = ReadNumber();
        return count <= (ulong)Remaining ? (int)count : throw Bad("they end too early");
    }

    public string ReadText()
    {
        var length = ReadCount();
        try
        {
            var text = s_strict.GetString(_bytes.Slice(_at, length));
            _at += length;
            return text;
        }
        catch (DecoderFallbackException)
        {
            throw Bad("a text is not UTF-8");
        }
    }

    public ReadOnlySpan<byte> ReadBytes(int length)
    {
        if (length > Remaining)
            throw Bad("they end too early");
        _at += length;
        return _bytes.Slice(_at - length, length);
    }

    public readonly void End()
    {
        if (Remaining > 0)
            throw Bad($"{Remaining} bytes follow the end");
    }

    public readonly SketchFormatException Bad(string why) => new($"The bytes of a {what} can't be read: {why}.");

    private UInt128 ReadSeven(int bits)
    {
        UInt128 value = 0;
        for (var shift = 0; shift < bits; shift += 7)
        {
            var next = ReadByte();
            if (shift + 7 > bits && next >> (bits - shift) != 0)
                break;
            value |= (UInt128)(uint)(next & 0x7F) << shift;
            if (next < 0x80)
                // One number has one form, so that equal sketches have equal bytes.
                return next == 0 && shift > 0 ? throw Bad("a number is longer than it needs to be") : value;
        }

        throw Bad("a number is too large");
    }
}
