using System.Globalization;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Arithmetic over other rules' figures: names, numbers, + - * / and parentheses.</summary>
public sealed class DerivedFormula
{
    private const int MaxDepth = 64;

    private readonly List<Token> _tokens;
    private readonly Func<Func<string, decimal?>, decimal?> _value;
    private readonly List<(string Name, int At)> _names = [];
    private int _next;
    private int _depth;

    private DerivedFormula(string text)
    {
        _tokens = Lexer.Read(text);
        _value = ReadSum();
        if (Current.Kind != TokenKind.End)
            throw new ExpressionException(Current.At, $"{Current} can't follow here: an operator is missing (+, -, *, /).");
        Canonical = string.Join(' ', _tokens.Select(t => t.Kind == TokenKind.Number ? t.Number.ToString(CultureInfo.InvariantCulture) : t.Text));
    }

    private delegate Func<Func<string, decimal?>, decimal?> Part();

    /// <summary>The rules that it names, each once.</summary>
    public IReadOnlyList<string> Names => [.. _names.Select(n => n.Name).Distinct()];

    internal string Canonical { get; }

    internal IReadOnlyList<(string Name, int At)> Places => _names;

    private Token Current => _tokens[_next];

    /// <param name="figure">A rule's figure in the group and window at hand; null where it has none.</param>
    /// <returns>Null where a figure is missing, a divisor is 0 or the result is beyond decimal's range.</returns>
    public decimal? Evaluate(Func<string, decimal?> figure)
    {
        try
        {
            return _value(figure);
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    /// <exception cref="ExpressionException">It can't be meant, with the place.</exception>
    internal static DerivedFormula Parse(string text) => new(text);

    private Func<Func<string, decimal?>, decimal?> ReadSum()
    {
        if (++_depth > MaxDepth)
            throw new ExpressionException(Current.At, $"is nested deeper than {MaxDepth} levels.");
        var sum = ReadBinary(() => ReadBinary(ReadValue, "*", "/"), "+", "-");
        _depth--;
        return sum;
    }

    private Func<Func<string, decimal?>, decimal?> ReadBinary(Part part, string first, string second)
    {
        var left = part();
        while (Current.Is(first) || Current.Is(second))
        {
            var (symbol, before) = (_tokens[_next++].Text, left);
            var right = part();
            left = symbol switch
            {
                "+" => figure => before(figure) + right(figure),
                "-" => figure => before(figure) - right(figure),
                "*" => figure => before(figure) * right(figure),
                _ => figure => right(figure) is { } divisor and not 0 ? before(figure) / divisor : null,
            };
        }

        return left;
    }

    private Func<Func<string, decimal?>, decimal?> ReadValue()
    {
        var token = Current;
        if (token.Kind == TokenKind.End)
            throw new ExpressionException(token.At, "ends where a rule's name or a number is needed.");
        _next++;
        if (token.Kind == TokenKind.Number)
            return _ => token.Number;
        if (token.Kind == TokenKind.Word)
        {
            _names.Add((token.Text, token.At));
            return figure => figure(token.Text);
        }

        if (!token.Is("("))
            throw new ExpressionException(token.At, $"{token} stands where a rule's name or a number is needed.");
        var inner = ReadSum();
        if (!Current.Is(")"))
            throw new ExpressionException(Current.At, $"')' is missing before {Current}.");
        _next++;
        return inner;
    }
}
