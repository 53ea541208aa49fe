namespace PaymentPlatform.Events;

/// <summary>
/// Masks whatever might be card data in bytes that the parser failed on: without knowing the fields, every run of digits that is long enough for a card number keeps its first six and last four,
/// and every run of three or four, which might be a CVV or PIN, keeps none. It hides too much rather than too little.
/// </summary>
public static class CautiousMask
{
    public static byte[] Apply(ReadOnlySpan<byte> payload)
    {
        var masked = payload.ToArray();
        for (var i = 0; i < masked.Length;)
        {
            if (!char.IsAsciiDigit((char)masked[i]))
            {
                i++;
                continue;
            }

            var (start, digits, end) = (i, 0, i);
            for (; i < masked.Length; i++)
            {
                if (char.IsAsciiDigit((char)masked[i]))
                    (digits, end) = (digits + 1, i + 1);
                else if (masked[i] is not ((byte)' ' or (byte)'-') || i > end)
                    break;
            }

            i = end;
            Mask(masked.AsSpan(start..end), digits);
        }

        return masked;
    }

    private static void Mask(Span<byte> run, int digits)
    {
        var (first, last) = digits switch
        {
            >= 12 => (6, digits - 4),
            3 or 4 => (0, digits),
            _ => (0, 0),
        };
        var seen = 0;
        foreach (ref var b in run)
        {
            if (!char.IsAsciiDigit((char)b))
                continue;
            if (seen >= first && seen < last)
                b = (byte)'*';
            seen++;
        }
    }
}
