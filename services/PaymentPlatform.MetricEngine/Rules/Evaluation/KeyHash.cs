using System.Buffers.Binary;
using System.Numerics;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>
/// 128 bits that stand for a text in states and buckets: the same for ever, as they are stored. Among a hundred million keys two are alike with a probability of 10^-23;
/// it is no defence against someone who searches for two.
/// </summary>
internal static class KeyHash
{
    private const ulong First = 0x9E37_79B9_7F4A_7C15;
    private const ulong Second = 0xC2B2_AE3D_27D4_EB4F;
    private const ulong Third = 0xD6E8_FEB8_6659_FD93;

    /// <param name="kind">Keeps a text and a number of the same spelling apart.</param>
    public static UInt128 Of(ReadOnlySpan<byte> text, uint kind = 0)
    {
        var a = First ^ ((ulong)text.Length << 8) ^ kind;
        var b = Second + (ulong)text.Length;
        while (text.Length >= 8)
        {
            Mix(ref a, ref b, BinaryPrimitives.ReadUInt64LittleEndian(text));
            text = text[8..];
        }

        ulong rest = 0;
        for (var i = 0; i < text.Length; i++)
            rest |= (ulong)text[i] << (8 * i);
        Mix(ref a, ref b, rest);
        return Finish(a, b);
    }

    /// <summary>Depends on the order.</summary>
    public static UInt128 Combine(UInt128 left, UInt128 right)
    {
        var (a, b) = ((ulong)left ^ Third, (ulong)(left >> 64));
        Mix(ref a, ref b, (ulong)right);
        Mix(ref a, ref b, (ulong)(right >> 64));
        return Finish(a, b);
    }

    private static void Mix(ref ulong a, ref ulong b, ulong value)
    {
        a = Multiply(a ^ value, First) + Second;
        b = Multiply(b ^ BitOperations.RotateLeft(value, 29), Third) ^ First;
    }

    private static UInt128 Finish(ulong a, ulong b) => new(Multiply(a ^ BitOperations.RotateLeft(b, 17), Second), Multiply(b ^ BitOperations.RotateLeft(a, 41), First));

    private static ulong Multiply(ulong x, ulong y)
    {
        var high = Math.BigMul(x, y, out var low);
        return high ^ low ^ x;
    }
}
