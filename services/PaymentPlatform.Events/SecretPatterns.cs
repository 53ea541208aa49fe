namespace PaymentPlatform.Events;

/// <summary>
/// Best effort for text that is no JSON: whatever follows a secret's name and <c>:</c>, <c>=</c> or <c>&gt;</c> is masked up to the end of that value.
/// </summary>
internal static class SecretPatterns
{
    /// <summary>Masks in place.</summary>
    public static void Mask(Span<byte> text)
    {
        for (var at = 0; at < text.Length;)
        {
            if (!IsWord(text[at]))
            {
                at++;
                continue;
            }

            var start = at;
            while (at < text.Length && IsWord(text[at]))
                at++;
            if (SecretFields.IsSecret(text[start..at]) && TryValueStart(text, at, out var value))
                at = MaskValue(text, value);
        }
    }

    private static bool TryValueStart(ReadOnlySpan<byte> text, int at, out int value)
    {
        var assigned = false;
        for (; at < text.Length; at++)
        {
            if (text[at] is (byte)':' or (byte)'=' or (byte)'>')
            {
                assigned = true;
                continue;
            }

            var blank = text[at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';
            var closingQuote = !assigned && text[at] is (byte)'"' or (byte)'\'' or (byte)'\\';
            if (!blank && !closingQuote)
                break;
            if (assigned && !blank)
                break;
        }

        value = at;
        return assigned && at < text.Length && !text[at..].StartsWith("null"u8);
    }

    /// <returns>Where the value ends.</returns>
    private static int MaskValue(Span<byte> text, int at)
    {
        var opening = text[at];
        if (opening is (byte)'"' or (byte)'\'')
        {
            for (at++; at < text.Length && text[at] != opening; at++)
                text[at] = (byte)'*';
            return at;
        }

        if (opening is (byte)'{' or (byte)'[')
        {
            var depth = 0;
            for (; at < text.Length; at++)
            {
                depth += text[at] is (byte)'{' or (byte)'[' ? 1 : text[at] is (byte)'}' or (byte)']' ? -1 : 0;
                if (depth == 0)
                    return at;
                if (char.IsAsciiLetterOrDigit((char)text[at]))
                    text[at] = (byte)'*';
            }

            return at;
        }

        for (; at < text.Length && !EndsValue(text[at]); at++)
            text[at] = (byte)'*';
        return at;
    }

    private static bool IsWord(byte b) => char.IsAsciiLetterOrDigit((char)b) || b is (byte)'_' or (byte)'-';

    private static bool EndsValue(byte b) => b is <= (byte)' ' or (byte)',' or (byte)';' or (byte)'&' or (byte)'}' or (byte)']' or (byte)'<' or (byte)'"' or (byte)'\'';
}
