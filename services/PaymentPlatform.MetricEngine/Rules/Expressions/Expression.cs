using System.Globalization;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A condition as it was written, checked. Its canonical text tells whether two mean the same.</summary>
internal abstract record Expression
{
    public abstract string Canonical { get; }

    public sealed record And(IReadOnlyList<Expression> Parts) : Expression
    {
        public override string Canonical => $"({string.Join(" and ", Parts.Select(p => p.Canonical))})";
    }

    public sealed record Or(IReadOnlyList<Expression> Parts) : Expression
    {
        public override string Canonical => $"({string.Join(" or ", Parts.Select(p => p.Canonical))})";
    }

    public sealed record Not(Expression Inner) : Expression
    {
        public override string Canonical => $"not {Inner.Canonical}";
    }

    public sealed record Exists(FieldPath Field) : Expression
    {
        public override string Canonical => $"exists({Field.Name})";
    }

    public sealed record Compare(Operand Left, CompareOperator Operator, Operand Right) : Expression
    {
        public override string Canonical => $"({Left.Canonical} {Operator} {Right.Canonical})";
    }

    public sealed record In(Operand Left, IReadOnlyList<Operand> Values) : Expression
    {
        public override string Canonical => $"({Left.Canonical} in {string.Join(',', Values.Select(v => v.Canonical))})";
    }

    public sealed record Matches(FieldPath Field, string Pattern) : Expression
    {
        public override string Canonical => $"({Field.Name} matches {Pattern.Length}:{Pattern})";
    }

    /// <summary>One side of a comparison.</summary>
    internal abstract record Operand
    {
        public abstract string Canonical { get; }

        public sealed record Path(FieldPath Field) : Operand
        {
            public override string Canonical => Field.Name;
        }

        /// <summary>count(): elements of an array; length(): characters of a text.</summary>
        public sealed record Function(string Name, FieldPath Field) : Operand
        {
            public override string Canonical => $"{Name}({Field.Name})";
        }

        public sealed record Number(decimal Value) : Operand
        {
            public override string Canonical => (Value / 1.0000000000000000000000000000m).ToString(CultureInfo.InvariantCulture);
        }

        public sealed record Text(string Value) : Operand
        {
            public override string Canonical => $"{Value.Length}:{Value}";
        }

        public sealed record Boolean(bool Value) : Operand
        {
            public override string Canonical => Value ? "true" : "false";
        }

        public sealed record Threshold(ThresholdTable Table) : Operand
        {
            public override string Canonical => Table.Canonical;
        }
    }
}
