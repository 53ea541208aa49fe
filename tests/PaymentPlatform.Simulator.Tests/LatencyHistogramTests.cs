using PaymentPlatform.Simulator;

namespace PaymentPlatform.Simulator.Tests;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Quantile_UniformLatencies_WithinTwoPercent()
    {
        var histogram = new LatencyHistogram();
        for (var i = 1; i <= 10_000; i++)
            histogram.Add(TimeSpan.FromMicroseconds(i * 50));

        foreach (var q in new[] { 0.01, 0.5, 0.9, 0.99 })
            Assert.Equal(1.0, histogram.Quantile(q).TotalMicroseconds / (q * 500_000), tolerance: 0.02);
    }

    [Fact]
    public void Largest_SeveralAdded_Exact()
    {
        var histogram = new LatencyHistogram();
        foreach (var milliseconds in new[] { 3, 1234, 17 })
            histogram.Add(TimeSpan.FromMilliseconds(milliseconds));

        Assert.Equal(TimeSpan.FromMilliseconds(1234), histogram.Largest);
    }

    [Fact]
    public void Quantile_NothingAdded_Zero() => Assert.Equal(TimeSpan.Zero, new LatencyHistogram().Quantile(0.99));
}
