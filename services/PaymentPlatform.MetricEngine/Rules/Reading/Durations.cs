using System.Globalization;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Durations as 30s, 5m, 1h, 1d.</summary>
internal static class Durations
{
    public const long Second = 1_000_000;
    public const long Day = 86_400 * Second;
    private const long Longest = 366 * Day;

    /// <returns>Microseconds; null when it is none, or longer than a year.</returns>
    public static long? TryParse(string text)
    {
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        long? unit = text[^1] switch { 's' => Second, 'm' => 60 * Second, 'h' => 3_600 * Second, 'd' => Day, _ => null };
        return unit * number is { } micros and > 0 and <= Longest ? micros : null;
    }

    public static string Show(long micros) => (micros / Second) switch
    {
        var s when s % 86_400 == 0 => $"{s / 86_400}d",
        var s when s % 3_600 == 0 => $"{s / 3_600}h",
        var s when s % 60 == 0 => $"{s / 60}m",
        var s => $"{s}s",
    };
}
