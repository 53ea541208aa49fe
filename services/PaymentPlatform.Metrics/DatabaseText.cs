using System.Buffers;
using System.Text;

namespace PaymentPlatform.Metrics;

/// <summary>
/// Makes senders' texts fit PostgreSQL's text and jsonb columns, which hold neither U+0000 nor half a character:
/// each becomes U+FFFD. A longer text is cut at a character's border and ends in an ellipsis.
/// </summary>
public static class DatabaseText
{
    private const char Replacement = '\uFFFD';
    private static readonly SearchValues<char> Suspicious = SearchValues.Create([.. Enumerable.Range(0xD800, 0x800).Select(c => (char)c), '\0']);

    /// <param name="utf8">Any bytes.</param>
    /// <param name="maxLength">In UTF-16 code units, the ellipsis included.</param>
    public static string Clean(ReadOnlySpan<byte> utf8, int maxLength)
    {
        // A code unit takes at most three bytes: what lies beyond can't be kept.
        var most = Math.Min(utf8.Length, (maxLength + 1) * 3);
        return Clean(Encoding.UTF8.GetString(utf8[..most]), maxLength);
    }

    /// <inheritdoc cref="Clean(ReadOnlySpan{byte}, int)"/>
    public static string Clean(string text, int maxLength)
    {
        if (text.Length > maxLength)
        {
            var end = maxLength - 1;
            if (char.IsHighSurrogate(text[end - 1]) && char.IsLowSurrogate(text[end]))
                end--;
            text = string.Concat(text.AsSpan(0, end), "…");
        }

        return text.AsSpan().ContainsAny(Suspicious) ? Replace(text) : text;
    }

    private static string Replace(string text) => string.Create(text.Length, text, static (output, input) =>
    {
        for (var i = 0; i < input.Length; i++)
        {
            if (char.IsHighSurrogate(input[i]) && i + 1 < input.Length && char.IsLowSurrogate(input[i + 1]))
            {
                output[i] = input[i];
                output[i + 1] = input[++i];
            }
            else
            {
                output[i] = char.IsSurrogate(input[i]) || input[i] == '\0' ? Replacement : input[i];
            }
        }
    });
}
