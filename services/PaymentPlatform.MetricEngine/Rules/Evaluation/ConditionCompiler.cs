using System.Text;
using System.Text.RegularExpressions;
using static PaymentPlatform.MetricEngine.Rules.Expression;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Turns a condition into closures over the event's columns and slots. A comparison with a missing field is false, so that != and not in are true.</summary>
internal sealed class ConditionCompiler(EventView view)
{
    private readonly NumberCompiler _numbers = new(view);

    /// <param name="condition">Null: every event.</param>
    public Func<EventView, bool>? Compile(Expression? condition) => condition is null ? null : Build(condition);

    private Func<EventView, bool> Build(Expression condition)
    {
        switch (condition)
        {
            case And all:
                return All([.. all.Parts.Select(Build)]);
            case Or any:
                return Any([.. any.Parts.Select(Build)]);
            case Not negated:
                var inner = Build(negated.Inner);
                return e => !inner(e);
            case Exists exists:
                var field = view.Use(exists.Field);
                return e => e.Exists(field);
            case Matches matches:
                return BuildMatches(matches);
            case In within:
                return BuildIn(within);
            case Compare { Operator: CompareOperator.NotEqual } compare:
                var equal = BuildCompare(compare with { Operator = CompareOperator.Equal });
                return e => !equal(e);
            case Compare compare:
                return BuildCompare(compare);
            default:
                throw new InvalidOperationException($"{condition.GetType()} can't be compiled.");
        }
    }

    private static Func<EventView, bool> All(Func<EventView, bool>[] parts)
    {
        if (parts is [var first, var second])
            return e => first(e) && second(e);
        return e =>
        {
            foreach (var part in parts)
            {
                if (!part(e))
                    return false;
            }

            return true;
        };
    }

    private static Func<EventView, bool> Any(Func<EventView, bool>[] parts)
    {
        if (parts is [var first, var second])
            return e => first(e) || second(e);
        return e =>
        {
            foreach (var part in parts)
            {
                if (part(e))
                    return true;
            }

            return false;
        };
    }

    private Func<EventView, bool> BuildCompare(Compare compare)
    {
        switch (compare.Left, compare.Right)
        {
            case (Operand.Path path, Operand.Text text):
                var field = view.Use(path.Field);
                var literal = field.Literals.Add(text.Value);
                return e => e.Literal(field) == literal;
            case (Operand.Path { Field.Column: EventColumn.CardData }, Operand.Boolean wanted):
                return wanted.Value ? e => e.HasCardNumber() : e => !e.HasCardNumber();
            case (Operand.Path path, Operand.Boolean wanted):
                var flag = view.Use(path.Field);
                var kind = wanted.Value ? SlotKind.True : SlotKind.False;
                return e => e.KindOf(flag) == kind;
            case (Operand.Path left, Operand.Path right) when compare.Operator == CompareOperator.Equal && left.Field.Type is not FieldType.Number && right.Field.Type is not FieldType.Number:
                return BuildSame(view.Use(left.Field), view.Use(right.Field));
            default:
                return _numbers.Build(compare);
        }
    }

    /// <summary>Equal texts, numbers or truth values; a number by its value.</summary>
    private static Func<EventView, bool> BuildSame(EventField left, EventField right) => e =>
        e.TryNumber(left, out var x) && e.TryNumber(right, out var y)
            ? x == y
            : e.TryValue(left, out var a, out var aText) && e.TryValue(right, out var b, out var bText) && aText == bText && a.SequenceEqual(b);

    private Func<EventView, bool> BuildIn(In within)
    {
        List<Func<EventView, bool>> tests = [];
        if (within.Left is Operand.Path path && within.Values.OfType<Operand.Text>().ToList() is { Count: > 0 } texts)
        {
            var field = view.Use(path.Field);
            HashSet<int> ids = [.. texts.Select(text => field.Literals.Add(text.Value))];
            var member = Enumerable.Range(0, ids.Max() + 1).Select(ids.Contains).ToArray();
            tests.Add(e => e.Literal(field) is var id && (uint)id < (uint)member.Length && member[id]);
        }

        tests.AddRange(within.Values.OfType<Operand.Number>().Select(number => BuildCompare(new(within.Left, CompareOperator.Equal, number))));
        return tests is [var only] ? only : Any([.. tests]);
    }

    private Func<EventView, bool> BuildMatches(Matches matches)
    {
        var field = view.Use(matches.Field);
        var regex = new Regex(matches.Pattern, TextPatterns.Options);
        var characters = new char[256];
        return e =>
        {
            if (!e.TryText(field, out var text))
                return false;
            if (characters.Length < text.Length)
                characters = new char[text.Length];
            return regex.IsMatch(characters.AsSpan(0, Encoding.UTF8.GetChars(text, characters)));
        };
    }
}
