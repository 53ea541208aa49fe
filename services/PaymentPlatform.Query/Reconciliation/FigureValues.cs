using System.Globalization;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>What a row of figures says; amounts are exact.</summary>
internal readonly record struct FigureValues(long Count, decimal Total, decimal Min, decimal Max)
{
    public FigureValues Plus(FigureValues other) => new(Count + other.Count, Total + other.Total, Math.Min(Min, other.Min), Math.Max(Max, other.Max));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"count {Count}, amount {Total:0.####}, min {Min:0.####}, max {Max:0.####}");
}
