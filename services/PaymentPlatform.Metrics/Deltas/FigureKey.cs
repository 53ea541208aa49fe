namespace PaymentPlatform.Metrics.Deltas;

/// <summary>The key of a row of <c>payment_metrics_5m</c>.</summary>
/// <param name="WindowStart">Microseconds since the Unix epoch.</param>
public readonly record struct FigureKey(long WindowStart, string PaymentMethod, string Currency, string PaymentStatus) : IComparable<FigureKey>
{
    public int CompareTo(FigureKey other) =>
        WindowStart.CompareTo(other.WindowStart) is var w and not 0 ? w
        : string.CompareOrdinal(PaymentMethod, other.PaymentMethod) is var m and not 0 ? m
        : string.CompareOrdinal(Currency, other.Currency) is var c and not 0 ? c
        : string.CompareOrdinal(PaymentStatus, other.PaymentStatus);
}
