using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>A growing byte array that is used again and again.</summary>
internal sealed class ByteBuffer(int initialCapacity)
{
    private byte[] _bytes = new byte[initialCapacity];

    public int Length { get; private set; }

    public int Capacity => _bytes.Length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public Span<byte> WrittenMutable => _bytes.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, Length);

    /// <summary>The next <paramref name="size"/> bytes, not yet counted: <see cref="Advance"/> counts them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Reserve(int size)
    {
        if ((uint)(Length + size) > (uint)_bytes.Length)
            Grow(size);
        return _bytes.AsSpan(Length, size);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance(int size) => Length += size;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Length += bytes.Length;
    }

    public void AppendByte(byte value)
    {
        Reserve(1)[0] = value;
        Length++;
    }

    public void AppendVarint(ulong value)
    {
        var span = Reserve(10);
        var i = 0;
        while (value >= 0x80)
        {
            span[i++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[i++] = (byte)value;
        Length += i;
    }

    /// <summary>Parquet's PLAIN form of a byte array: its length in four bytes, then the bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AppendPlain(ReadOnlySpan<byte> value)
    {
        var span = Reserve(value.Length + sizeof(int));
        BinaryPrimitives.WriteInt32LittleEndian(span, value.Length);
        value.CopyTo(span[sizeof(int)..]);
        Length += span.Length;
    }

    /// <summary>Sets the length; what lies beyond an earlier length is undefined.</summary>
    public void SetLength(int length)
    {
        if (length > _bytes.Length)
            Grow(length - Length);
        Length = length;
    }

    /// <summary>Gives memory back that far exceeds <paramref name="keep"/>. The content is lost.</summary>
    public void Trim(int keep)
    {
        Length = 0;
        if (_bytes.Length > keep)
            _bytes = new byte[initialCapacity];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int size)
    {
        var needed = checked(Length + size);
        var capacity = (int)Math.Min(Array.MaxLength, Math.Max(needed, (long)_bytes.Length * 2));
        Array.Resize(ref _bytes, capacity);
    }
}
