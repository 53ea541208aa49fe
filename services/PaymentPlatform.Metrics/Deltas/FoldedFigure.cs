using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>What deltas add to a row of <c>payment_metrics_5m</c>, besides the counts.</summary>
/// <param name="Countries">Events by ISO code, <c>unknown</c> and <c>other</c>.</param>
public sealed record FoldedFigure(FigureKey Key, HyperLogLog Customers, HyperLogLog Merchants, SortedDictionary<string, long> Countries);
