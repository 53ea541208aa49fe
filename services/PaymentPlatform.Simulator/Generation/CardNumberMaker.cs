namespace PaymentPlatform.Simulator;

/// <summary>Makes full card numbers that are right in prefix, length and check digit, from the prefixes that the brands keep for tests.</summary>
internal static class CardNumberMaker
{
    private const int Length = 16;

    private static ReadOnlySpan<byte> VisaTests => "41111111"u8;

    private static ReadOnlySpan<byte> MastercardTests => "55555555"u8;

    /// <returns>How many bytes were written: 16, or 19 with a space or dash between the groups.</returns>
    public static int Write(Span<byte> target, ulong random)
    {
        Span<byte> digits = stackalloc byte[Length];
        var prefix = (random & 1) == 0 ? VisaTests : MastercardTests;
        prefix.CopyTo(digits);
        var rest = random >> 8;
        for (var i = prefix.Length; i < Length - 1; i++, rest /= 10)
            digits[i] = (byte)('0' + rest % 10);
        digits[^1] = CheckDigit(digits[..^1]);

        var separator = ((random >> 1) & 3) switch { 0 => (byte)' ', 1 => (byte)'-', _ => (byte)0 };
        var written = 0;
        for (var i = 0; i < Length; i++)
        {
            if (separator != 0 && i > 0 && i % 4 == 0)
                target[written++] = separator;
            target[written++] = digits[i];
        }

        return written;
    }

    private static byte CheckDigit(ReadOnlySpan<byte> digits)
    {
        var sum = 0;
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            var digit = digits[i] - '0';
            if (((digits.Length - 1 - i) & 1) == 0)
                digit = digit > 4 ? digit * 2 - 9 : digit * 2;
            sum += digit;
        }

        return (byte)('0' + (10 - sum % 10) % 10);
    }
}
