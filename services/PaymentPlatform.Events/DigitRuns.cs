using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PaymentPlatform.Events;

/// <summary>
/// Finds where a card number could be: thirteen or more bytes in a row that are digits or single separators between digits. Real events have almost
/// none, so this is all that most bytes cost (measured by `bench parse`).
/// </summary>
internal static class DigitRuns
{
    public const int MinLength = CardBrands.MinDigits;

    private const int Block = 64;

    /// <summary>A run that starts in the first 48 bytes of a block shows in full, with the neighbour of its last byte, inside the block.</summary>
    private const int Stride = 48;

    /// <returns>A position in the first run at or after <paramref name="from"/>, not after the run's first digit group that starts there; -1 when there is none.</returns>
    public static int Next(ReadOnlySpan<byte> text, int from)
    {
        if (text.Length - from < MinLength)
            return -1;
        if (text.Length - from < Block)
            return NextInTail(text, from);

        ref var start = ref MemoryMarshal.GetReference(text);
        var last = text.Length - Block;
        for (var at = from; ; at = Math.Min(at + Stride, last))
        {
            var (digits, separators) = Classify(ref Unsafe.Add(ref start, at));
            var run = digits | (separators & (digits << 1) & (digits >> 1));
            run &= run >> 1;
            run &= run >> 2;
            run &= run >> 4;
            run &= run >> 5;
            if (run != 0)
                return at + (int)ulong.TrailingZeroCount(run);
            if (at == last)
                return -1;
        }
    }

    public static bool IsDigit(byte b) => (uint)(b - '0') <= 9;

    public static bool IsSeparator(byte b) => b is (byte)' ' or (byte)'-';

    /// <summary>One bit a byte, the lowest for the first.</summary>
    private static (ulong Digits, ulong Separators) Classify(ref byte start)
    {
        var low = Vector256.LoadUnsafe(ref start);
        var high = Vector256.LoadUnsafe(ref start, 32);
        return (Digits(low) | (ulong)Digits(high) << 32, Separators(low) | (ulong)Separators(high) << 32);
    }

    private static uint Digits(Vector256<byte> bytes) =>
        Vector256.LessThanOrEqual(bytes - Vector256.Create((byte)'0'), Vector256.Create((byte)9)).ExtractMostSignificantBits();

    private static uint Separators(Vector256<byte> bytes) =>
        (Vector256.Equals(bytes, Vector256.Create((byte)' ')) | Vector256.Equals(bytes, Vector256.Create((byte)'-'))).ExtractMostSignificantBits();

    private static int NextInTail(ReadOnlySpan<byte> text, int from)
    {
        var run = 0;
        for (var i = from; i < text.Length; i++)
        {
            var inside = IsDigit(text[i]) || (run > 0 && IsSeparator(text[i]) && i + 1 < text.Length && IsDigit(text[i - 1]) && IsDigit(text[i + 1]));
            run = inside ? run + 1 : 0;
            if (run == MinLength)
                return i + 1 - MinLength;
        }

        return -1;
    }
}
