using System.Text.RegularExpressions;
using static PaymentPlatform.MetricEngine.Rules.Expression;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Reads a condition. <c>or</c> binds weaker than <c>and</c>, that weaker than <c>not</c>; parentheses go before.</summary>
internal sealed class ExpressionParser
{
    /// <summary>Deeper ones are refused rather than risk the stack.</summary>
    private const int MaxDepth = 64;

    private readonly List<Token> _tokens;
    private readonly ExpressionScope _scope;
    private int _next;
    private int _depth;

    private ExpressionParser(string text, ExpressionScope scope) => (_tokens, _scope) = (Lexer.Read(text), scope);

    private Token Current => _tokens[_next];

    /// <exception cref="ExpressionException">It can't be meant, with the place.</exception>
    public static Expression Parse(string text, ExpressionScope scope)
    {
        var parser = new ExpressionParser(text, scope);
        if (parser.Current.Kind == TokenKind.End)
            throw new ExpressionException(0, "is empty: write a condition such as amount > 100.");
        var condition = parser.ReadOr();
        if (parser.Current.Kind != TokenKind.End)
            throw new ExpressionException(parser.Current.At, $"{parser.Current} can't follow here: join conditions with 'and' or 'or'.");
        return condition;
    }

    private Expression ReadOr()
    {
        if (++_depth > MaxDepth)
            throw new ExpressionException(Current.At, $"is nested deeper than {MaxDepth} levels.");
        List<Expression> parts = [ReadAnd()];
        while (Take("or"))
            parts.Add(ReadAnd());
        _depth--;
        return parts.Count == 1 ? parts[0] : new Or(parts);
    }

    private Expression ReadAnd()
    {
        List<Expression> parts = [ReadNot()];
        while (Take("and"))
            parts.Add(ReadNot());
        return parts.Count == 1 ? parts[0] : new And(parts);
    }

    private Expression ReadNot()
    {
        var negate = false;
        while (Take("not"))
            negate = !negate;
        var inner = ReadPrimary();
        return negate ? new Not(inner) : inner;
    }

    private Expression ReadPrimary()
    {
        if (Take("("))
        {
            var inner = ReadOr();
            Expect(")");
            return inner;
        }

        if (Take("exists"))
        {
            Expect("(");
            var path = ReadPath();
            Expect(")");
            return new Exists(path);
        }

        var at = Current.At;
        var left = ReadOperand();
        if (left is not (Operand.Path or Operand.Function))
            throw new ExpressionException(at, "a comparison begins with a field: put the value behind the operator.");
        return ReadTest(at, left);
    }

    private Expression ReadTest(int at, Operand left)
    {
        var token = Current;
        if (Take("matches"))
            return ReadMatches(at, left);
        if (Take("in"))
            return new In(left, ReadList(left));
        if (Take("not"))
        {
            Expect("in");
            return new Not(new In(left, ReadList(left)));
        }

        CompareOperator? comparison = token.Kind != TokenKind.Symbol ? null : token.Text switch
        {
            "==" => CompareOperator.Equal,
            "!=" => CompareOperator.NotEqual,
            "<" => CompareOperator.Less,
            "<=" => CompareOperator.LessOrEqual,
            ">" => CompareOperator.Greater,
            ">=" => CompareOperator.GreaterOrEqual,
            _ => null,
        };
        if (comparison is { } found)
        {
            _next++;
            var right = ReadOperand();
            ExpressionTypes.CheckCompare(token, left, found, right);
            return new Compare(left, found, right);
        }

        if (left is Operand.Path { Field.Type: FieldType.Boolean })
            return new Compare(left, CompareOperator.Equal, new Operand.Boolean(true));
        throw new ExpressionException(token.At, $"{token} can't follow {left.Canonical}: an operator is missing (==, !=, <, <=, >, >=, in, not in, matches).");
    }

    private Matches ReadMatches(int at, Operand left)
    {
        if (left is not Operand.Path { Field.Type: FieldType.Text or FieldType.Any } path)
            throw new ExpressionException(at, $"matches needs a text field, and {left.Canonical} is none.");
        var token = Current;
        if (token.Kind != TokenKind.Text)
            throw new ExpressionException(token.At, $"matches needs a regular expression in quotes, and {token} is none.");
        _next++;
        try
        {
            _ = new Regex(token.Text, TextPatterns.Options);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            throw new ExpressionException(token.At, exception is NotSupportedException
                ? $"the regular expression '{token.Text}' can't be matched in linear time: leave out what looks around, refers back or is atomic, and large repetitions."
                : $"'{token.Text}' is no regular expression: {exception.Message}");
        }

        return new Matches(path.Field, token.Text);
    }

    private List<Operand> ReadList(Operand left)
    {
        var token = Current;
        if (token.Kind == TokenKind.Word && token.Text.StartsWith("lists.", StringComparison.Ordinal))
        {
            _next++;
            if (!_scope.Lists.TryGetValue(token.Text["lists.".Length..], out var list))
                throw new ExpressionException(token.At, $"{token.Text} is unknown: add it under lists.");
            List<Operand> named = [.. list.Select(value => new Operand.Text(value))];
            named.ForEach(value => ExpressionTypes.CheckCompare(token, left, CompareOperator.Equal, value));
            return named;
        }

        Expect("[");
        List<Operand> values = [];
        do
        {
            var at = Current;
            var value = ReadOperand();
            if (value is not (Operand.Text or Operand.Number))
                throw new ExpressionException(at.At, $"{at} can't be in a list: give texts in quotes or numbers.");
            ExpressionTypes.CheckCompare(at, left, CompareOperator.Equal, value);
            values.Add(value);
        }
        while (Take(","));
        Expect("]");
        return values;
    }

    private Operand ReadOperand()
    {
        var token = Current;
        _next++;
        switch (token.Kind)
        {
            case TokenKind.Text:
                return new Operand.Text(token.Text);
            case TokenKind.Number when Take("*"):
                return new Operand.Threshold(ReadThreshold(Advance()).Times(token.Number));
            case TokenKind.Number:
                return new Operand.Number(token.Number);
            case TokenKind.Symbol when token.Text == "-" && Current.Kind == TokenKind.Number:
                return new Operand.Number(-Advance().Number);
            case TokenKind.Word when token.Text is "true" or "false":
                return new Operand.Boolean(token.Text == "true");
            case TokenKind.Word when token.Text is "and" or "or" or "not" or "in" or "matches":
                break;
            case TokenKind.Word when token.Text.StartsWith("thresholds.", StringComparison.Ordinal):
                var table = ReadThreshold(token);
                if (!Take("*"))
                    return new Operand.Threshold(table);
                var factor = Advance();
                return factor.Kind == TokenKind.Number
                    ? new Operand.Threshold(table.Times(factor.Number))
                    : throw new ExpressionException(factor.At, "a threshold can only be multiplied by a number.");
            case TokenKind.Word when Take("("):
                return ReadFunction(token);
            case TokenKind.Word:
                _next--;
                return new Operand.Path(ReadPath());
        }

        throw new ExpressionException(token.At, $"{token} stands where a field or a value is needed.");
    }

    private Operand.Function ReadFunction(Token name)
    {
        if (name.Text is not ("count" or "length"))
            throw new ExpressionException(name.At, $"{name.Text}() is unknown: there are count() of an array, length() of a text, and exists().");
        var at = Current.At;
        var path = ReadPath();
        Expect(")");
        var fits = name.Text == "count" ? path.Type == FieldType.Any : path.Type is FieldType.Any or FieldType.Text;
        return fits ? new(name.Text, path) : throw new ExpressionException(at, $"{name.Text}() needs {(name.Text == "count" ? "an array" : "a text")}, and {path.Name} is none.");
    }

    private ThresholdTable ReadThreshold(Token token) =>
        token.Kind == TokenKind.Word && token.Text.StartsWith("thresholds.", StringComparison.Ordinal) && _scope.Thresholds.TryGetValue(token.Text["thresholds.".Length..], out var table)
            ? table
            : throw new ExpressionException(token.At, $"{token.Text} is unknown: add it under thresholds.");

    private FieldPath ReadPath()
    {
        var token = Advance();
        return (token.Kind == TokenKind.Word ? FieldPath.TryParse(token.Text) : null)
            ?? throw new ExpressionException(token.At, $"{token} is no field: name one such as amount or metadata.risk_score.");
    }

    private Token Advance() => _tokens[_next].Kind == TokenKind.End ? _tokens[_next] : _tokens[_next++];

    private bool Take(string text)
    {
        if (!Current.Is(text))
            return false;
        _next++;
        return true;
    }

    private void Expect(string text)
    {
        if (!Take(text))
            throw new ExpressionException(Current.At, $"'{text}' is missing before {Current}.");
    }
}
