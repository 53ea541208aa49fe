using System.Buffers.Binary;
using System.Text;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Reads what <see cref="Blob"/> wrote. Broken bytes are an <see cref="InvalidDataException"/>, never anything else.</summary>
internal ref struct BlobReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public byte ReadByte() => Take(1)[0];

    public UInt128 ReadWide()
    {
        UInt128 value = 0;
        for (var shift = 0; shift < 128; shift += 7)
        {
            var b = ReadByte();
            value |= (UInt128)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }

        throw Broken();
    }

    public ulong ReadUnsigned() => ReadWide() is var value && value <= ulong.MaxValue ? (ulong)value : throw Broken();

    /// <summary>A number of things that follow, of which each takes at least so many bytes: a broken one must not ask for memory.</summary>
    public int ReadCount(int bytesEach) => ReadUnsigned() is var count && count <= (ulong)(_rest.Length / bytesEach) ? (int)count : throw Broken();

    public int ReadInt() => ReadUnsigned() is var value && value <= int.MaxValue ? (int)value : throw Broken();

    public long ReadSigned() => ReadUnsigned() is var value ? (long)(value >> 1) ^ -(long)(value & 1) : 0;

    public Int128 ReadWideSigned() => ReadWide() is var value ? (Int128)(value >> 1) ^ -(Int128)(value & 1) : 0;

    public UInt128 ReadHash() => BinaryPrimitives.ReadUInt128LittleEndian(Take(16));

    public ReadOnlySpan<byte> ReadBytes() => Take(ReadCount(1));

    public string ReadText() => Encoding.UTF8.GetString(ReadBytes());

    public static InvalidDataException Broken() => new("The stored rule state or buckets are broken, or of a newer version: restore them, or let them be computed anew from the archive.");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
            throw Broken();
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
