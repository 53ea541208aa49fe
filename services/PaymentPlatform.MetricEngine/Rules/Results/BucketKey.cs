namespace PaymentPlatform.MetricEngine.Rules;

/// <param name="Rule">Its place among the evaluator's rules.</param>
internal readonly record struct BucketKey(UInt128 Group, long Window, int Rule)
{
    public override int GetHashCode() => (int)((ulong)Group ^ (ulong)(Window >> 7) ^ ((ulong)Rule << 24));
}
