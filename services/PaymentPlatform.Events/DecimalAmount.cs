namespace PaymentPlatform.Events;

/// <summary>
/// Reads the number grammar of JSON exactly into decimal(19,4): the value times 10,000. Exponents of any size are weighed, never expanded,
/// so that 1e999999 costs no more than its digits.
/// </summary>
internal static class DecimalAmount
{
    private const int MaxDigits = 19;
    private const int Scale = 4;
    private const long ExponentCap = 1L << 40;

    private static ReadOnlySpan<ulong> PowersOfTen =>
    [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000,
        1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000, 100_000_000_000_000_000,
        1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
    ];

    /// <param name="text">A number as JSON writes it.</param>
    /// <param name="scaled">The value times 10,000 when the outcome is <see cref="AmountOutcome.Exact"/>.</param>
    /// <param name="negative">Whether there is a minus sign, also beyond the range.</param>
    public static AmountOutcome Read(ReadOnlySpan<byte> text, out Int128 scaled, out bool negative)
    {
        scaled = 0;
        negative = !text.IsEmpty && text[0] == '-';
        var at = negative ? 1 : 0;

        // Significant digits are kept without leading zeros; zeros behind them wait until another digit shows that they count.
        ulong mantissa = 0;
        var significant = 0;
        long pendingZeros = 0, decimals = 0;
        var tooLong = false;

        var integerStart = at;
        for (; at < text.Length && IsDigit(text[at]); at++)
            Add(text[at] - '0', ref mantissa, ref significant, ref pendingZeros, ref tooLong);
        if (at == integerStart || (text[integerStart] == '0' && at > integerStart + 1))
            return AmountOutcome.NotANumber;

        if (at < text.Length && text[at] == '.')
        {
            var fractionStart = ++at;
            for (; at < text.Length && IsDigit(text[at]); at++)
                Add(text[at] - '0', ref mantissa, ref significant, ref pendingZeros, ref tooLong);
            decimals = at - fractionStart;
            if (decimals == 0)
                return AmountOutcome.NotANumber;
        }

        if (!TryExponent(text[at..], out var exponent))
            return AmountOutcome.NotANumber;
        if (significant == 0)
            return AmountOutcome.Exact;

        var shift = exponent - decimals + pendingZeros + Scale;
        if (tooLong || shift < 0 || significant + shift > MaxDigits)
            return AmountOutcome.OutOfRange;

        scaled = (Int128)mantissa * PowersOfTen[(int)shift];
        if (negative)
            scaled = -scaled;
        return AmountOutcome.Exact;
    }

    private static void Add(int digit, ref ulong mantissa, ref int significant, ref long pendingZeros, ref bool tooLong)
    {
        if (digit == 0)
        {
            if (significant > 0)
                pendingZeros++;
            return;
        }

        if (significant + pendingZeros + 1 > MaxDigits)
        {
            // More than nineteen digits between the first and the last that count: no exponent brings them into decimal(19,4).
            (tooLong, significant, pendingZeros) = (true, MaxDigits, 0);
            return;
        }

        mantissa = mantissa * PowersOfTen[(int)pendingZeros + 1] + (uint)digit;
        significant += (int)pendingZeros + 1;
        pendingZeros = 0;
    }

    private static bool TryExponent(ReadOnlySpan<byte> rest, out long exponent)
    {
        exponent = 0;
        if (rest.IsEmpty)
            return true;
        if (rest[0] is not ((byte)'e' or (byte)'E'))
            return false;

        rest = rest[1..];
        var minus = !rest.IsEmpty && rest[0] == '-';
        if (minus || (!rest.IsEmpty && rest[0] == '+'))
            rest = rest[1..];
        foreach (var b in rest)
        {
            if (!IsDigit(b))
                return false;
            exponent = Math.Min(exponent * 10 + b - '0', ExponentCap);
        }

        exponent = minus ? -exponent : exponent;
        return !rest.IsEmpty;
    }

    private static bool IsDigit(byte b) => b is >= (byte)'0' and <= (byte)'9';
}
