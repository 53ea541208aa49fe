namespace PaymentPlatform.Events;

/// <summary>
/// Full card numbers in text: whole digit groups with at most one space or dash between two of them, that make thirteen to nineteen digits of a known
/// brand, of its length, with a right check digit. Letters may touch a number, digits may not. Digits inside a UUID or a hexadecimal hash are none.
/// </summary>
internal static class CardNumbers
{
    private const int KeptInFront = 6;
    private const int KeptBehind = 4;

    /// <summary>More bytes than any number has, separators included.</summary>
    private const int Reach = 2 * CardBrands.MaxDigits;

    public static bool Contains(ReadOnlySpan<byte> text) => TryFind(text, 0, out _, out _);

    /// <summary>Finds the first number that starts at or after <paramref name="from"/>, in its longest reading.</summary>
    public static bool TryFind(ReadOnlySpan<byte> text, int from, out int start, out int length)
    {
        for (var at = DigitRuns.Next(text, from); at >= 0; at = DigitRuns.Next(text, at))
        {
            while (at < text.Length && (DigitRuns.IsDigit(text[at]) || IsInnerSeparator(text, at)))
            {
                if (IsGroupStart(text, at) && LengthAt(text, at) is var found and > 0)
                {
                    (start, length) = (at, found);
                    return true;
                }

                at++;
            }
        }

        (start, length) = (0, 0);
        return false;
    }

    /// <summary>Turns all but the first six and the last four digits of every number into <c>*</c>, until none is left.</summary>
    /// <returns>Whether there was one.</returns>
    public static bool Mask(Span<byte> text)
    {
        var masked = false;
        var from = 0;
        while (TryFind(text, from, out var start, out var length))
        {
            MaskDigits(text.Slice(start, length), CountDigits(text.Slice(start, length)));
            masked = true;

            // The asterisks may end a number that began before this one.
            from = Math.Max(0, start - Reach);
        }

        return masked;
    }

    /// <param name="text">Digits and separators of one number, perhaps without zeros at its end.</param>
    /// <param name="total">How many digits the number has.</param>
    public static void MaskDigits(Span<byte> text, int total)
    {
        var seen = 0;
        foreach (ref var b in text)
        {
            if (DigitRuns.IsDigit(b) && seen++ >= KeptInFront && seen <= total - KeptBehind)
                b = (byte)'*';
        }
    }

    private static int CountDigits(ReadOnlySpan<byte> text)
    {
        var count = 0;
        foreach (var b in text)
            count += DigitRuns.IsDigit(b) ? 1 : 0;
        return count;
    }

    private static bool IsInnerSeparator(ReadOnlySpan<byte> text, int at) =>
        DigitRuns.IsSeparator(text[at]) && at + 1 < text.Length && DigitRuns.IsDigit(text[at + 1]) && at > 0 && DigitRuns.IsDigit(text[at - 1]);

    private static bool IsGroupStart(ReadOnlySpan<byte> text, int at) =>
        DigitRuns.IsDigit(text[at]) && (at == 0 || !DigitRuns.IsDigit(text[at - 1]));

    /// <returns>Bytes of the longest number whose first group starts here; 0 when there is none.</returns>
    private static int LengthAt(ReadOnlySpan<byte> text, int start)
    {
        Span<byte> digits = stackalloc byte[CardBrands.MaxDigits];
        var (count, longest) = (0, 0);
        for (var at = start; ; at++)
        {
            for (; at < text.Length && DigitRuns.IsDigit(text[at]); at++)
            {
                if (count == CardBrands.MaxDigits)
                    return longest;
                digits[count++] = (byte)(text[at] - '0');
            }

            if (CardBrands.IsCardNumber(digits[..count]) && !HexIdentifiers.Cover(text, start, at))
                longest = at - start;
            if (at >= text.Length || !IsInnerSeparator(text, at))
                return longest;
        }
    }
}
