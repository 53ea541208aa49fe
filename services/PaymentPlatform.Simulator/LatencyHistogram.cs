namespace PaymentPlatform.Simulator;

/// <summary>Quantiles within 2 percent, in constant memory. Not thread-safe.</summary>
internal sealed class LatencyHistogram
{
    private const double Growth = 1.02;
    private const double SmallestMicros = 10;

    // Up to about 30 minutes.
    private readonly long[] _buckets = new long[960];
    private long _count;

    /// <summary>Exact; zero when nothing was added.</summary>
    public TimeSpan Largest { get; private set; }

    public void Add(TimeSpan latency)
    {
        Largest = latency > Largest ? latency : Largest;
        var bucket = (int)(Math.Log(Math.Max(1, latency.TotalMicroseconds / SmallestMicros)) / Math.Log(Growth));
        _buckets[Math.Min(bucket, _buckets.Length - 1)]++;
        _count++;
    }

    public bool IsEmpty => _count == 0;

    /// <summary>Zero when nothing was added.</summary>
    public TimeSpan Quantile(double q)
    {
        var rank = (long)Math.Ceiling(q * _count);
        for (var i = 0; i < _buckets.Length && rank > 0; i++)
        {
            rank -= _buckets[i];
            if (rank <= 0)
                return TimeSpan.FromMicroseconds(SmallestMicros * Math.Pow(Growth, i + 0.5));
        }

        return TimeSpan.Zero;
    }
}
