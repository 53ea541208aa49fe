namespace PaymentPlatform.Events;

/// <summary>Card numbers in JSON number tokens: plain, and as a double's text writes them (<c>4.111111111111111E15</c>).</summary>
internal static class NumberTokens
{
    public static bool HoldsCardNumber(ReadOnlySpan<byte> token) => CardNumbers.Contains(token) || IsScaledCardNumber(token);

    /// <summary>Whether a token with an exponent is worth a card number.</summary>
    public static bool IsScaledCardNumber(ReadOnlySpan<byte> token) => TryScaled(token, out _, out _, out _);

    /// <returns>The token with its digits masked, to be written as a string.</returns>
    public static byte[] Mask(ReadOnlySpan<byte> token)
    {
        var masked = token.ToArray();
        if (TryScaled(token, out var start, out var end, out var total))
            CardNumbers.MaskDigits(masked.AsSpan(start..end), total);
        CardNumbers.Mask(masked);
        return masked;
    }

    /// <param name="token">The number.</param>
    /// <param name="start">Its first digit that isn't zero.</param>
    /// <param name="end">The exponent's letter.</param>
    /// <param name="total">The digits of the card number.</param>
    private static bool TryScaled(ReadOnlySpan<byte> token, out int start, out int end, out int total)
    {
        (start, total) = (0, 0);
        end = token.IndexOfAny((byte)'e', (byte)'E');
        if (token.Length < CardBrands.MinDigits || end < 0 || !TryExponent(token[(end + 1)..], out var exponent))
            return false;

        start = token[..end].IndexOfAnyInRange((byte)'1', (byte)'9');
        if (start < 0)
            return false;

        // The value is the digits, without the zeros behind them, times ten to the shift.
        var point = token[..end].IndexOf((byte)'.');
        var last = token[..end].LastIndexOfAnyInRange((byte)'1', (byte)'9');
        var shift = exponent + (point < 0 ? end - 1 - last : point < last ? point - last : point - 1 - last);
        var count = last - start + 1 - (point > start && point < last ? 1 : 0);
        if (shift < 0 || count > CardBrands.MaxDigits || count + shift > CardBrands.MaxDigits)
            return false;

        Span<byte> digits = stackalloc byte[CardBrands.MaxDigits];
        digits.Clear();
        var filled = 0;
        foreach (var b in token[start..(last + 1)])
        {
            if (b != '.')
                digits[filled++] = (byte)(b - '0');
        }

        total = count + shift;
        return CardBrands.IsCardNumber(digits[..total]);
    }

    private static bool TryExponent(ReadOnlySpan<byte> text, out int exponent) =>
        System.Buffers.Text.Utf8Parser.TryParse(text, out exponent, out var used) && used == text.Length && Math.Abs((long)exponent) < 1 << 20;
}
