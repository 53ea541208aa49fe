namespace PaymentPlatform.Metrics.Deltas;

/// <summary>What a rule adds up over a group and window.</summary>
/// <param name="Count">Events of the rule's scope.</param>
/// <param name="Matched">Events that meet the numerator's condition.</param>
/// <param name="Sum">Exact, times 10,000, as are <paramref name="Min"/> and <paramref name="Max"/>.</param>
/// <param name="Min">Null while no event had a value.</param>
public readonly record struct BucketSums(string MetricType, long Count, long Matched, Int128 Sum, Int128? Min, Int128? Max)
{
    public BucketSums Plus(BucketSums other) => new(
        MetricType, Count + other.Count, Matched + other.Matched, Sum + other.Sum,
        Min is { } min && !(other.Min < min) ? min : other.Min ?? Min,
        Max is { } max && !(other.Max > max) ? max : other.Max ?? Max);
}
