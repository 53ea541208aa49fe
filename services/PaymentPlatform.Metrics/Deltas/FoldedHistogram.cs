using PaymentPlatform.MetricEngine.Sketches;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>What deltas add to a row of <c>aggregate_histograms</c>.</summary>
/// <param name="WindowStart">Microseconds since the Unix epoch, as is the end.</param>
public sealed record FoldedHistogram(long WindowStart, long WindowEnd, string MetricType, string EventType, DDSketch Sketch);
