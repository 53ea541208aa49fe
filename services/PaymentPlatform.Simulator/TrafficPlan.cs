namespace PaymentPlatform.Simulator;

/// <summary>How much is sent, and when.</summary>
internal sealed record TrafficPlan
{
    /// <summary>Asked before each batch: another object is applied from there on.</summary>
    public required Func<SimulatorSettings> Settings { get; init; }

    /// <summary>Events a second, whatever the settings say; 0 is as fast as the target takes them.</summary>
    public double? Rate { get; init; }

    /// <summary>Where nobody says.</summary>
    public double DefaultRate { get; init; }

    /// <summary>Null for no end.</summary>
    public long? Total { get; init; }

    /// <summary>Null for no end.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Between two looks at what is due.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>The events' own time; null where it is the clock's.</summary>
    public EventClock? Clock { get; init; }
}
