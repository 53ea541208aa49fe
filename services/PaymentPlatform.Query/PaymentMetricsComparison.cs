namespace PaymentPlatform.Query;

/// <summary>What the figures of a group are compared with.</summary>
/// <param name="Previous">The same group a window earlier; null when it has no events.</param>
/// <param name="IsInProgress">The window has not ended: its figures are of a part of it.</param>
public sealed record PaymentMetricsComparison(PaymentMetricsItem? Previous, bool IsInProgress);
