using System.Text.Json;

namespace PaymentPlatform.Simulator;

/// <summary>Compares settings.</summary>
internal static class SettingsText
{
    public static string Of(SimulatorSettings settings) => JsonSerializer.Serialize(settings with { Violations = new SortedDictionary<ViolationPattern, double>(settings.Violations.ToDictionary()) });

    /// <summary>The settings that differ and that only a new start takes in.</summary>
    public static List<string> NeedingRestart(SimulatorSettings before, SimulatorSettings after)
    {
        (string Name, Func<SimulatorSettings, object?> Of)[] fixedAtStart =
        [
            ("destination.target", s => s.Target), ("destination.url", s => s.Url), ("destination.file", s => s.File), ("total", s => s.Total), ("duration", s => s.Duration), ("seed", s => s.Seed),
            ("customers", s => s.Customers), ("merchants", s => s.Merchants), ("event_time.start", s => (s.Start, s.FollowClock)),
        ];
        return [.. fixedAtStart.Where(f => !Equals(f.Of(before), f.Of(after))).Select(f => f.Name)];
    }
}
