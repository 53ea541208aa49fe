using System.Buffers;
using System.Text;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>Shortens long minima and maxima for column statistics so that they still bound every value in unsigned byte order, and stay valid UTF-8.</summary>
internal static class Utf8Bounds
{
    public const int MaxBytes = 64;

    public static byte[] Lower(ReadOnlySpan<byte> min, out bool exact)
    {
        exact = min.Length <= MaxBytes;
        return Prefix(min).ToArray();
    }

    /// <summary>
    /// The prefix with its last code point raised by one: UTF-8 sorts as its code points do, so that is above every string with the prefix.
    /// Where no code point can be raised the value stays whole.
    /// </summary>
    public static byte[] Upper(ReadOnlySpan<byte> max, out bool exact)
    {
        exact = true;
        if (max.Length <= MaxBytes)
            return max.ToArray();

        var prefix = Prefix(max);
        while (!prefix.IsEmpty)
        {
            if (Rune.DecodeLastFromUtf8(prefix, out var last, out var length) != OperationStatus.Done)
                break;
            prefix = prefix[..^length];
            // The surrogates are no code points: U+E000 follows U+D7FF.
            var next = last.Value == 0xD7FF ? 0xE000 : last.Value + 1;
            if (!Rune.TryCreate(next, out var raised))
                continue;
            exact = false;
            var bound = new byte[prefix.Length + raised.Utf8SequenceLength];
            prefix.CopyTo(bound);
            raised.EncodeToUtf8(bound.AsSpan(prefix.Length));
            return bound;
        }

        return max.ToArray();
    }

    private static ReadOnlySpan<byte> Prefix(ReadOnlySpan<byte> value)
    {
        if (value.Length <= MaxBytes)
            return value;
        var end = MaxBytes;
        while (end > 0 && (value[end] & 0xC0) == 0x80)
            end--;
        return value[..end];
    }
}
