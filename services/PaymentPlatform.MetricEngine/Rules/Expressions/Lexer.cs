using System.Globalization;
using System.Text;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Cuts an expression into tokens.</summary>
internal static class Lexer
{
    private static readonly string[] Symbols = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", "*", "/", "+", "-"];

    /// <exception cref="ExpressionException">A character or text that can't be one.</exception>
    public static List<Token> Read(string text)
    {
        List<Token> tokens = [];
        for (var at = 0; at < text.Length;)
        {
            var c = text[at];
            if (char.IsWhiteSpace(c))
                at++;
            else if (c is '"' or '\'')
                tokens.Add(ReadText(text, ref at));
            else if (char.IsAsciiDigit(c))
                tokens.Add(ReadNumber(text, ref at));
            else if (char.IsAsciiLetter(c) || c == '_')
                tokens.Add(ReadWord(text, ref at));
            else
                tokens.Add(ReadSymbol(text, ref at));
        }

        tokens.Add(new(TokenKind.End, "", text.Length));
        return tokens;
    }

    private static Token ReadText(string text, ref int at)
    {
        var (start, quote) = (at, text[at]);
        var value = new StringBuilder();
        for (at++; at < text.Length && text[at] is not ('\n' or '\r'); at++)
        {
            if (text[at] == quote)
            {
                at++;
                return new(TokenKind.Text, value.ToString(), start);
            }

            // Only the quote itself and the backslash are escaped, so that regular expressions stay readable.
            if (text[at] == '\\' && at + 1 < text.Length && (text[at + 1] == quote || text[at + 1] == '\\'))
                at++;
            value.Append(text[at]);
        }

        throw new ExpressionException(start, $"the text that begins with {quote} has no end on its line: close it with {quote}.");
    }

    private static Token ReadNumber(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '.' or '_'))
            at++;
        var written = text[start..at];
        return decimal.TryParse(written.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? new(TokenKind.Number, written, start, number)
            : throw new ExpressionException(start, $"'{written}' is not a number: write it with digits and one decimal point.");
    }

    /// <summary>A path's later parts may begin with a digit and hold dashes: metadata.3ds_verified, metadata.x-id.</summary>
    private static Token ReadWord(string text, ref int at)
    {
        var start = at;
        var dotted = false;
        for (; at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '_' or '.' || (dotted && text[at] == '-')); at++)
            dotted |= text[at] == '.';
        return new(TokenKind.Word, text[start..at], start);
    }

    private static Token ReadSymbol(string text, ref int at)
    {
        foreach (var symbol in Symbols)
        {
            if (!text.AsSpan(at).StartsWith(symbol))
                continue;
            at += symbol.Length;
            return new(TokenKind.Symbol, symbol, at - symbol.Length);
        }

        throw new ExpressionException(at, text[at] == '='
            ? "'=' is no operator: compare with '=='."
            : $"'{text[at]}' can't stand here: operators are ==, !=, <, <=, >, >=, in, not in, matches, exists(), and, or, not.");
    }
}
