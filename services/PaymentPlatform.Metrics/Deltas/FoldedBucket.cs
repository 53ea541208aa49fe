using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>What deltas add to a row of <c>rule_buckets</c>.</summary>
/// <param name="Version">The rule's version as text.</param>
public sealed record FoldedBucket(RuleBucket Bucket, string Version, BucketValues Values);
