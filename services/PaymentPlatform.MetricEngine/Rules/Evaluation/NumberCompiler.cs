using System.Text;
using static PaymentPlatform.MetricEngine.Rules.Expression;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Comparisons of numbers: amounts as whole ten-thousandths, others as decimals; never a float.</summary>
internal sealed class NumberCompiler(EventView view)
{
    private static readonly FieldPath Currency = FieldPath.TryParse("currency")!;

    private delegate bool Source(EventView e, out decimal value);

    public Func<EventView, bool> Build(Compare compare)
    {
        if (compare.Left is Operand.Path { Field.Column: EventColumn.Amount })
        {
            if (compare.Right is Operand.Number number)
                return BuildAmount(compare.Operator, number.Value);
            if (compare.Right is Operand.Threshold { Table: var table })
                return table.ByCurrency.Count == 0 ? BuildAmount(compare.Operator, table.Default ?? 0) : BuildAmount(compare.Operator, table);
        }

        var (left, right) = (SourceOf(compare.Left), SourceOf(compare.Right));
        return compare.Operator switch
        {
            CompareOperator.Equal => e => left(e, out var x) && right(e, out var y) && x == y,
            CompareOperator.Less => e => left(e, out var x) && right(e, out var y) && x < y,
            CompareOperator.LessOrEqual => e => left(e, out var x) && right(e, out var y) && x <= y,
            CompareOperator.Greater => e => left(e, out var x) && right(e, out var y) && x > y,
            _ => e => left(e, out var x) && right(e, out var y) && x >= y,
        };
    }

    /// <summary>The numbers by the currency's literal; the last one is of all others.</summary>
    public (EventField Currency, T?[] Values) ByCurrency<T>(ThresholdTable table, Func<decimal, T> convert)
        where T : struct
    {
        var currency = view.Use(Currency);
        var ids = table.ByCurrency.ToDictionary(p => currency.Literals.Add(p.Key), p => p.Value);
        var values = new T?[ids.Keys.Append(-1).Max() + 2];
        for (var id = 0; id < values.Length; id++)
            values[id] = ids.TryGetValue(id, out var own) ? convert(own) : table.Default is { } other ? convert(other) : null;
        return (currency, values);
    }

    public static T? Pick<T>(T?[] values, int literal)
        where T : struct =>
        values[(uint)literal < (uint)values.Length ? literal : ^1];

    /// <summary>The bound in whole ten-thousandths that decides the same.</summary>
    private static Int128 Bound(CompareOperator comparison, decimal value) =>
        (Int128)(comparison is CompareOperator.Greater or CompareOperator.LessOrEqual ? Math.Floor(value * 10_000) : Math.Ceiling(value * 10_000));

    private static Func<EventView, bool> BuildAmount(CompareOperator comparison, decimal value)
    {
        var bound = Bound(comparison, value);
        var isWhole = value * 10_000 % 1 == 0;
        return comparison switch
        {
            CompareOperator.Equal => e => isWhole && e.Amount == bound,
            CompareOperator.Less => e => e.Amount < bound,
            CompareOperator.LessOrEqual => e => e.Amount <= bound,
            CompareOperator.Greater => e => e.Amount > bound,
            _ => e => e.Amount >= bound,
        };
    }

    private Func<EventView, bool> BuildAmount(CompareOperator comparison, ThresholdTable table)
    {
        if (comparison == CompareOperator.Equal)
        {
            var (field, exact) = ByCurrency(table, value => value);
            return e => Pick(exact, e.Literal(field)) is { } value && (decimal)e.Amount == value * 10_000;
        }

        var (currency, bounds) = ByCurrency(table, value => Bound(comparison, value));
        return comparison switch
        {
            CompareOperator.Less => e => Pick(bounds, e.Literal(currency)) is { } bound && e.Amount < bound,
            CompareOperator.LessOrEqual => e => Pick(bounds, e.Literal(currency)) is { } bound && e.Amount <= bound,
            CompareOperator.Greater => e => Pick(bounds, e.Literal(currency)) is { } bound && e.Amount > bound,
            _ => e => Pick(bounds, e.Literal(currency)) is { } bound && e.Amount >= bound,
        };
    }

    private Source SourceOf(Operand operand)
    {
        switch (operand)
        {
            case Operand.Number number:
                return (EventView _, out decimal value) =>
                {
                    value = number.Value;
                    return true;
                };
            case Operand.Threshold { Table: var table }:
                var (currency, values) = ByCurrency(table, value => value);
                return (EventView e, out decimal value) =>
                {
                    var found = Pick(values, e.Literal(currency));
                    value = found.GetValueOrDefault();
                    return found.HasValue;
                };
            case Operand.Function { Name: "count" } function:
                var array = view.Use(function.Field);
                return (EventView e, out decimal value) =>
                {
                    value = e.CountOf(array);
                    return value >= 0;
                };
            case Operand.Function function:
                var text = view.Use(function.Field);
                return (EventView e, out decimal value) =>
                {
                    var found = e.TryText(text, out var utf8);
                    value = Encoding.UTF8.GetCharCount(utf8);
                    return found;
                };
            case Operand.Path path:
                var field = view.Use(path.Field);
                return (EventView e, out decimal value) => e.TryNumber(field, out value);
            default:
                throw new InvalidOperationException($"{operand.Canonical} is no number.");
        }
    }
}
