using System.Globalization;

namespace PaymentPlatform.Simulator;

/// <summary>Durations as people write them: <c>90s</c>, <c>10m</c>, <c>2h</c>, <c>00:10:00</c>.</summary>
public static class DurationText
{
    /// <returns>False for what is no duration, and for none above zero.</returns>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        if (text.Contains(':'))
            return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out duration) && duration > TimeSpan.Zero;
        if (text.Length < 2 || !double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number <= 0 || number > 1e7)
            return false;
        duration = TimeSpan.FromSeconds(number * text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3_600, 'd' => 86_400, _ => 0 });
        return duration > TimeSpan.Zero;
    }
}
