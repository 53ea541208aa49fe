using System.Buffers;
using System.Buffers.Binary;
using ZstdSharp;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>Packs a partition's state for the database: the length of the bytes (32 bits, little endian), then the bytes, compressed. Not thread-safe.</summary>
internal sealed class RuleStateCodec : IDisposable
{
    private const int MaxLength = 1 << 30;
    private const int MaxKept = 4 << 20;

    private ArrayBufferWriter<byte> _raw = new(4_096);
    private readonly Compressor _compressor = new(1);

    /// <param name="write">Writes the state.</param>
    public byte[] Pack(Action<IBufferWriter<byte>> write)
    {
        _raw.ResetWrittenCount();
        write(_raw);
        var packed = ArrayPool<byte>.Shared.Rent(sizeof(int) + Compressor.GetCompressBound(_raw.WrittenCount));
        BinaryPrimitives.WriteInt32LittleEndian(packed, _raw.WrittenCount);
        var result = packed[..(sizeof(int) + _compressor.Wrap(_raw.WrittenSpan, packed.AsSpan(sizeof(int))))];
        ArrayPool<byte>.Shared.Return(packed);
        // A snapshot is large, and rare.
        if (_raw.Capacity > MaxKept)
            _raw = new(4_096);
        return result;
    }

    /// <exception cref="InvalidDataException">The bytes are broken.</exception>
    public static byte[] Unpack(ReadOnlySpan<byte> packed)
    {
        var length = packed.Length < sizeof(int) ? -1 : BinaryPrimitives.ReadInt32LittleEndian(packed);
        if (length is < 0 or > MaxLength)
            throw new InvalidDataException("A state of rules is damaged.");
        var raw = new byte[length];
        try
        {
            using var decompressor = new Decompressor();
            if (decompressor.Unwrap(packed[sizeof(int)..], raw) == length)
                return raw;
        }
        catch (ZstdException exception)
        {
            throw new InvalidDataException($"A state of rules is damaged: {exception.Message}", exception);
        }

        throw new InvalidDataException("A state of rules is damaged: it is shorter than it says.");
    }

    public void Dispose() => _compressor.Dispose();
}
