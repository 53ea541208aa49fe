namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>What is added up in a bucket. Adding is commutative and exact.</summary>
public struct BucketValues
{
    /// <summary>Events of the rule's scope; of a sum or average those that have the field.</summary>
    public long Count { get; set; }

    /// <summary>Those of them that meet <c>matching</c>.</summary>
    public long Matched { get; set; }

    /// <summary>The field's values times 10,000.</summary>
    public Int128 Sum { get; set; }

    /// <summary>Times 10,000; 0 in a rule without a field.</summary>
    public Int128 Min { get; set; }

    /// <summary>Times 10,000; 0 in a rule without a field.</summary>
    public Int128 Max { get; set; }

    internal void AddValue(Int128 value)
    {
        if (Count == 0 || value < Min)
            Min = value;
        if (Count == 0 || value > Max)
            Max = value;
        Sum += value;
        Count++;
    }

    public void Merge(in BucketValues other)
    {
        if (other.Count == 0)
            return;
        if (Count == 0 || other.Min < Min)
            Min = other.Min;
        if (Count == 0 || other.Max > Max)
            Max = other.Max;
        Count += other.Count;
        Matched += other.Matched;
        Sum += other.Sum;
    }

    /// <summary>The figure of a rule of this type; null where there is none (no event, or a derived rule).</summary>
    public readonly decimal? Figure(MetricType type) => type switch
    {
        MetricType.Count => Count,
        MetricType.Sum => (decimal)Sum / 10_000,
        MetricType.Average when Count > 0 => (decimal)Sum / 10_000 / Count,
        MetricType.Ratio when Count > 0 => (decimal)Matched / Count,
        MetricType.Percentage when Count > 0 => 100m * Matched / Count,
        _ => null,
    };
}
