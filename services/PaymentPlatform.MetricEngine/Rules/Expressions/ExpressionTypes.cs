using static PaymentPlatform.MetricEngine.Rules.Expression;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Which operator takes what.</summary>
internal static class ExpressionTypes
{
    private static readonly string[] Statuses = ["completed", "declined", "failed", "timeout", "error", "pending", "cancelled", "refunded"];

    /// <exception cref="ExpressionException">They can't be compared so.</exception>
    public static void CheckCompare(Token at, Operand left, CompareOperator comparison, Operand right)
    {
        var (leftType, rightType) = (TypeOf(left), TypeOf(right));
        if (leftType == FieldType.Time || rightType == FieldType.Time)
            throw new ExpressionException(at.At, "transaction_timestamp can't be compared: windows are what divides time.");
        if (comparison is not (CompareOperator.Equal or CompareOperator.NotEqual))
        {
            if (!IsNumeric(leftType) || !IsNumeric(rightType))
                throw new ExpressionException(at.At, $"{Name(comparison)} compares numbers, and {(IsNumeric(leftType) ? Show(right) : Show(left))} is none.");
        }
        else if (leftType != rightType && leftType != FieldType.Any && rightType != FieldType.Any)
        {
            throw new ExpressionException(at.At, $"{Show(left)} is a {Noun(leftType)} and {Show(right)} a {Noun(rightType)}: they are never equal.");
        }

        if (left is Operand.Path { Field.Column: var column } && right is Operand.Text { Value: var text })
            CheckText(at, column, text);
        if (left is Operand.Path { Field.Column: EventColumn.Amount } && right is Operand.Number { Value: var number } && number * 10_000 % 1 != 0)
            throw new ExpressionException(at.At, $"{number} has more than the four decimals that an amount has.");
    }

    public static FieldType TypeOf(Operand operand) => operand switch
    {
        Operand.Path path => path.Field.Type,
        Operand.Text => FieldType.Text,
        Operand.Boolean => FieldType.Boolean,
        _ => FieldType.Number,
    };

    public static string Name(CompareOperator comparison) => comparison switch
    {
        CompareOperator.Equal => "==",
        CompareOperator.NotEqual => "!=",
        CompareOperator.Less => "<",
        CompareOperator.LessOrEqual => "<=",
        CompareOperator.Greater => ">",
        _ => ">=",
    };

    private static void CheckText(Token at, EventColumn column, string text)
    {
        if (column == EventColumn.PaymentStatus && !Statuses.Contains(text))
            throw new ExpressionException(at.At, $"'{text}' is no payment_status: there are {string.Join(", ", Statuses)}.");
        if (column == EventColumn.Currency && (text.Length != 3 || !text.All(char.IsAsciiLetterUpper)))
            throw new ExpressionException(at.At, $"'{text}' is no currency: they have three capital letters.");
    }

    private static bool IsNumeric(FieldType type) => type is FieldType.Number or FieldType.Any;

    private static string Show(Operand operand) => operand is Operand.Text text ? $"'{text.Value}'" : operand.Canonical;

    private static string Noun(FieldType type) => type switch
    {
        FieldType.Number => "number",
        FieldType.Boolean => "truth value",
        _ => "text",
    };
}
