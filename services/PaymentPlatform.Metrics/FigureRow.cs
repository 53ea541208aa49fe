namespace PaymentPlatform.Metrics;

/// <summary>What a batch adds to one row of <c>payment_metrics_5m</c>.</summary>
/// <param name="WindowStart">Microseconds since the Unix epoch.</param>
/// <param name="TotalScaled">Amounts are exact, times 10,000.</param>
public readonly record struct FigureRow(
    long WindowStart, string PaymentMethod, string Currency, string PaymentStatus, long Count, Int128 TotalScaled, Int128 MinScaled, Int128 MaxScaled);
