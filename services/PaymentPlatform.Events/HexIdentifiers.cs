namespace PaymentPlatform.Events;

/// <summary>
/// UUIDs (8-4-4-4-12) and hashes of 32, 40 or 64 hexadecimal digits. About one random UUID in 30,000 holds sixteen digits in a row that pass for a card number;
/// no card number makes its surroundings look like one of these.
/// </summary>
internal static class HexIdentifiers
{
    private const int UuidLength = 36;
    private const int LongestHash = 64;

    public static bool Cover(ReadOnlySpan<byte> text, int start, int end) => InUuid(text, start, end) || InHash(text, start, end);

    private static bool InUuid(ReadOnlySpan<byte> text, int start, int end)
    {
        for (var at = Math.Max(0, end - UuidLength); at <= start && at + UuidLength <= text.Length; at++)
        {
            if (IsUuid(text.Slice(at, UuidLength)) && (at == 0 || !IsAlphanumeric(text[at - 1])) && (at + UuidLength == text.Length || !IsAlphanumeric(text[at + UuidLength])))
                return true;
        }

        return false;
    }

    private static bool IsUuid(ReadOnlySpan<byte> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (i is 8 or 13 or 18 or 23 ? text[i] != '-' : !char.IsAsciiHexDigit((char)text[i]))
                return false;
        }

        return true;
    }

    private static bool InHash(ReadOnlySpan<byte> text, int start, int end)
    {
        var limit = end - LongestHash - 1;
        while (start > 0 && start > limit && char.IsAsciiHexDigit((char)text[start - 1]))
            start--;
        while (end < text.Length && end - start <= LongestHash && char.IsAsciiHexDigit((char)text[end]))
            end++;
        return end - start is 32 or 40 or LongestHash && text[start..end].IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0
            && text[start..end].IndexOfAny((byte)' ', (byte)'-') < 0;
    }

    private static bool IsAlphanumeric(byte b) => char.IsAsciiLetterOrDigit((char)b);
}
