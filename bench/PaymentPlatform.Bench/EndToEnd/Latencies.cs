namespace PaymentPlatform.Bench.EndToEnd;

/// <summary>Waits in milliseconds.</summary>
internal sealed class Latencies
{
    private readonly List<double> _values = [];

    public int Count => _values.Count;

    public double Largest => Quantile(1);

    public void Add(TimeSpan wait) => _values.Add(wait.TotalMilliseconds);

    /// <summary>The smallest value that at least this share of the values does not exceed.</summary>
    public double Quantile(double q)
    {
        _values.Sort();
        return _values.Count == 0 ? double.NaN : _values[Math.Clamp((int)Math.Ceiling(q * _values.Count) - 1, 0, _values.Count - 1)];
    }

    public override string ToString() => $"p50 {Quantile(0.5):N0}, p90 {Quantile(0.9):N0}, p99 {Quantile(0.99):N0}, most {Largest:N0} ms";
}
