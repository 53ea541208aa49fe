namespace PaymentPlatform.Metrics.Deltas;

/// <summary>One event of a window's sample.</summary>
/// <param name="Hash">Of its message id (<see cref="MetricEngine.Sketches.StableHash"/>).</param>
/// <param name="AmountScaled">Times 10,000.</param>
public readonly record struct SampleItem(ulong Hash, Int128 AmountScaled, string PaymentMethod, string Currency) : IComparable<SampleItem>
{
    public int CompareTo(SampleItem other) =>
        Hash.CompareTo(other.Hash) is var h and not 0 ? h
        : AmountScaled.CompareTo(other.AmountScaled) is var a and not 0 ? a
        : string.CompareOrdinal(PaymentMethod, other.PaymentMethod) is var m and not 0 ? m
        : string.CompareOrdinal(Currency, other.Currency);
}
