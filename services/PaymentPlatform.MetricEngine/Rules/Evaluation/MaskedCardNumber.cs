using System.Globalization;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>
/// Finds a card number as the platform's masker leaves it: six digits, three to nine asterisks, four digits, with at most one space, dash or point between two of them, escapes included.
/// </summary>
internal static class MaskedCardNumber
{
    private const int EscapeLength = 6;

    public static bool IsIn(ReadOnlySpan<byte> payload)
    {
        for (var at = payload.IndexOf((byte)'*'); at >= 0;)
        {
            var (end, stars) = Run(payload, at, 1, b => b == '*', most: 10);
            if (stars is >= 3 and <= 9 && Run(payload, end, 1, b => b is >= (byte)'0' and <= (byte)'9', most: 4).Count == 4
                && Run(payload, at - 1, -1, b => b is >= (byte)'0' and <= (byte)'9', most: 6).Count == 6)
                return true;
            var next = payload[end..].IndexOf((byte)'*');
            at = next < 0 ? -1 : end + next;
        }

        return false;
    }

    /// <summary>Counts bytes of a kind in one direction, over single separators.</summary>
    private static (int End, int Count) Run(ReadOnlySpan<byte> text, int at, int direction, Func<byte, bool> isKind, int most)
    {
        var (count, separated) = (0, false);
        while (count < most && TryRead(text, at, direction, out var b, out var length))
        {
            if (isKind(b))
                (count, separated) = (count + 1, false);
            else if (b is (byte)' ' or (byte)'-' or (byte)'.' && !separated)
                separated = true;
            else
                break;
            at += direction * length;
        }

        return (at, count);
    }

    /// <summary>The character at a place (backwards: the one that ends there), unescaped where it is written as \u00XX.</summary>
    private static bool TryRead(ReadOnlySpan<byte> text, int at, int direction, out byte value, out int length)
    {
        (value, length) = (0, 1);
        if ((uint)at >= (uint)text.Length)
            return false;
        value = text[at];
        var start = direction > 0 ? at : at - EscapeLength + 1;
        if (start >= 0 && start + EscapeLength <= text.Length && text[start..].StartsWith("\\u00"u8) && byte.TryParse(text.Slice(start + 4, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var escaped))
            (value, length) = (escaped, EscapeLength);
        return true;
    }
}
