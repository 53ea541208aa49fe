namespace PaymentPlatform.Metrics.Deltas;

/// <summary>The key of a row of <c>rule_buckets</c>.</summary>
/// <param name="WindowStart">Microseconds since the Unix epoch, as is the end.</param>
public readonly record struct BucketKey(long WindowStart, string RuleName, string RuleVersion, string GroupKey, long WindowEnd) : IComparable<BucketKey>
{
    public int CompareTo(BucketKey other) =>
        WindowStart.CompareTo(other.WindowStart) is var w and not 0 ? w
        : string.CompareOrdinal(RuleName, other.RuleName) is var r and not 0 ? r
        : string.CompareOrdinal(RuleVersion, other.RuleVersion) is var v and not 0 ? v
        : string.CompareOrdinal(GroupKey, other.GroupKey) is var g and not 0 ? g
        : WindowEnd.CompareTo(other.WindowEnd);
}
