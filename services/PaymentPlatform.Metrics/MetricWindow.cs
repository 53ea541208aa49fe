namespace PaymentPlatform.Metrics;

/// <summary>The five-minute windows of event time, UTC, half-open.</summary>
public static class MetricWindow
{
    /// <summary>A window's length in microseconds.</summary>
    public const long Micros = 300_000_000;

    /// <summary>The start of the window that holds the moment; both are microseconds since the Unix epoch. Rounds down before 1970 too.</summary>
    public static long StartOf(long micros) => StartOf(micros, Micros);

    /// <inheritdoc cref="StartOf(long)"/>
    /// <param name="length">The window's length in microseconds.</param>
    public static long StartOf(long micros, long length)
    {
        var remainder = micros % length;
        return micros - (remainder < 0 ? remainder + length : remainder);
    }
}
