namespace PaymentPlatform.Metrics.Tests;

/// <summary>A row of payment_metrics_5m.</summary>
internal sealed record Figure(DateTime Window, string Method, string Currency, string Status, long Count, decimal Total, decimal Min, decimal Max) : IComparable<Figure>
{
    public int CompareTo(Figure? other) => other is null ? 1
        : Window.CompareTo(other.Window) is var w and not 0 ? w
        : string.CompareOrdinal(Method, other.Method) is var m and not 0 ? m
        : string.CompareOrdinal(Currency, other.Currency) is var c and not 0 ? c
        : string.CompareOrdinal(Status, other.Status);
}
