using PaymentPlatform.Metrics;

namespace PaymentPlatform.Metrics.Tests;

public sealed class MetricWindowTests
{
    [Theory]
    [InlineData("2025-12-08T12:40:00Z", "2025-12-08T12:40:00Z")]
    [InlineData("2025-12-08T12:44:59.999999Z", "2025-12-08T12:40:00Z")]
    [InlineData("2025-12-08T12:45:00Z", "2025-12-08T12:45:00Z")]
    [InlineData("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z")]
    [InlineData("1969-12-31T23:59:59.999999Z", "1969-12-31T23:55:00Z")]
    [InlineData("1969-12-31T23:55:00Z", "1969-12-31T23:55:00Z")]
    [InlineData("1969-12-31T23:54:59.999999Z", "1969-12-31T23:50:00Z")]
    [InlineData("0001-01-01T00:00:00.000001Z", "0001-01-01T00:00:00Z")]
    public void StartOf_Moment_IsTheWindowsStart(string moment, string start) =>
        Assert.Equal(Micros(start), MetricWindow.StartOf(Micros(moment)));

    private static long Micros(string text) => (DateTimeOffset.Parse(text) - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
