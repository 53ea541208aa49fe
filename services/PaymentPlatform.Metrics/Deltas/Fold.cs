namespace PaymentPlatform.Metrics.Deltas;

/// <summary>What one fold did.</summary>
/// <param name="Rows">Of <c>metric_deltas</c>, folded.</param>
/// <param name="IsAtLimit">It ended at one of its limits: more may be left, and the next need not wait.</param>
public readonly record struct Fold(int Rows, bool IsAtLimit);
