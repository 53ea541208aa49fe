namespace PaymentPlatform.Events;

/// <summary>Issuer ranges and lengths of the card brands, and the check digit that all of them share.</summary>
internal static class CardBrands
{
    public const int MinDigits = 13;
    public const int MaxDigits = 19;

    /// <param name="digits">Values 0 to 9, not characters.</param>
    public static bool IsCardNumber(ReadOnlySpan<byte> digits) =>
        digits.Length is >= MinDigits and <= MaxDigits && HasBrand(digits) && PassesLuhn(digits);

    private static bool HasBrand(ReadOnlySpan<byte> digits)
    {
        var length = digits.Length;
        var six = 0;
        foreach (var digit in digits[..6])
            six = six * 10 + digit;
        var (two, four) = (six / 10_000, six / 100);

        return six switch
        {
            >= 400_000 and <= 499_999 => length is 13 or 16 or 19, // Visa
            >= 510_000 and <= 559_999 or >= 222_100 and <= 272_099 => length == 16, // Mastercard
            _ when two is 34 or 37 => length == 15, // American Express
            _ when four is >= 3528 and <= 3589 => length >= 16, // JCB
            _ when two is 36 or 38 or 39 || four is >= 3000 and <= 3059 or 3095 => length >= 14, // Diners Club
            _ when four is 6011 || two == 65 || six is >= 644_000 and <= 649_999 => length >= 16, // Discover
            _ when two == 62 => length >= 16, // UnionPay, and Discover's 622126 to 622925
            _ => two is 50 or 56 or 57 or 58 or 67 || four is 6304 or 6390, // Maestro
        };
    }

    private static bool PassesLuhn(ReadOnlySpan<byte> digits)
    {
        var sum = 0;
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            var digit = (int)digits[i];
            if (((digits.Length - 1 - i) & 1) == 1)
                digit = digit > 4 ? digit * 2 - 9 : digit * 2;
            sum += digit;
        }

        return sum % 10 == 0;
    }
}
