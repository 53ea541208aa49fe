using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;

namespace PaymentPlatform.Simulator;

/// <summary>Appends to a span that is known to be large enough.</summary>
internal ref struct JsonPieces(Span<byte> span)
{
    private readonly Span<byte> _span = span;

    public int Length { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(scoped ReadOnlySpan<byte> piece)
    {
        piece.CopyTo(_span[Length..]);
        Length += piece.Length;
    }

    public void AppendNumber(int value)
    {
        Utf8Formatter.TryFormat(value, _span[Length..], out var written);
        Length += written;
    }

    /// <summary>With leading zeros.</summary>
    public void AppendDigits(int value, int digits)
    {
        var target = _span.Slice(Length, digits);
        for (var i = digits - 1; i >= 0; i--)
        {
            target[i] = (byte)('0' + value % 10);
            value /= 10;
        }

        Length += digits;
    }

    public void AppendNumber(long value)
    {
        Utf8Formatter.TryFormat(value, _span[Length..], out var written);
        Length += written;
    }

    /// <summary>Eight capital hexadecimal digits.</summary>
    public void AppendHex(uint value)
    {
        Utf8Formatter.TryFormat(value, _span[Length..], out var written, new StandardFormat('X', 8));
        Length += written;
    }

    public void AppendCardNumber(ulong random) => Length += CardNumberMaker.Write(_span[Length..], random);

    /// <summary>A version 4 UUID of the given bits.</summary>
    public void AppendUuid(ulong high, ulong low)
    {
        high = (high & ~0xF000UL) | 0x4000;
        low = (low & ~(3UL << 62)) | (2UL << 62);
        var uuid = new Guid(
            (uint)(high >> 32), (ushort)(high >> 16), (ushort)high,
            (byte)(low >> 56), (byte)(low >> 48), (byte)(low >> 40), (byte)(low >> 32), (byte)(low >> 24), (byte)(low >> 16), (byte)(low >> 8), (byte)low);
        Utf8Formatter.TryFormat(uuid, _span[Length..], out var written);
        Length += written;
    }
}
