namespace PaymentPlatform.Metrics;

/// <summary>
/// The masking of last resort, for bytes on which the parser itself failed: any run of 13 or more digits, single blanks and hyphens between them allowed,
/// keeps its first six and last four.
/// </summary>
internal static class CardDigits
{
    public static byte[] Mask(ReadOnlySpan<byte> payload)
    {
        var copy = payload.ToArray();
        for (var start = 0; start < copy.Length; start++)
        {
            if (!char.IsAsciiDigit((char)copy[start]))
                continue;

            var (digits, end) = Run(copy, start);
            if (digits >= 13)
                MaskRun(copy.AsSpan(start, end - start), digits);
            start = end;
        }

        return copy;
    }

    private static (int Digits, int End) Run(byte[] bytes, int start)
    {
        var digits = 0;
        var end = start;
        for (var i = start; i < bytes.Length; i++)
        {
            if (char.IsAsciiDigit((char)bytes[i]))
            {
                digits++;
                end = i + 1;
            }
            else if (bytes[i] is not ((byte)' ' or (byte)'-') || i > end)
            {
                break;
            }
        }

        return (digits, end);
    }

    private static void MaskRun(Span<byte> run, int digits)
    {
        var seen = 0;
        foreach (ref var b in run)
        {
            if (char.IsAsciiDigit((char)b) && seen++ >= 6 && seen <= digits - 4)
                b = (byte)'*';
        }
    }
}
