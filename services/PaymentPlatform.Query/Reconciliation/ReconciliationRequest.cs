namespace PaymentPlatform.Query.Reconciliation;

/// <summary>What to compare. Names, sizes and offsets are always looked at in full.</summary>
public sealed record ReconciliationRequest
{
    /// <summary>Transaction time of the figures, and arrival of the dead letters: microseconds since the Unix epoch, a window's start.</summary>
    public required long From { get; init; }

    /// <summary>Exclusive, a window's end.</summary>
    public required long To { get; init; }

    public required ReconciliationDepth Depth { get; init; }

    /// <summary>With <see cref="ReconciliationDepth.Full"/>: only the bytes of files that may hold events of the range.</summary>
    public bool ContentsOfRange { get; init; }

    /// <summary>With <see cref="ReconciliationDepth.Full"/>: leaves out the bytes of files that were found sound since then.</summary>
    public DateTimeOffset? NotVerifiedSince { get; init; }

    /// <summary>More are counted, not listed.</summary>
    public int MaxFindings { get; init; } = 1_000;

    /// <summary>Widens a range to whole windows within years 1 to 9999; without one it is the last 24 hours.</summary>
    public static ReconciliationRequest Of(long? from, long? to, ReconciliationDepth depth, DateTimeOffset now)
    {
        var end = to ?? Math.Max(Timestamps.ToMicros(now.UtcDateTime), from ?? long.MinValue);
        var start = from ?? end - Day;
        return new() { From = Math.Max(First, FloorToWindow(start)), To = Math.Min(End, -FloorToWindow(-end)), Depth = depth, ContentsOfRange = from is not null || to is not null };
    }

    /// <summary>A window of the figures, in microseconds.</summary>
    internal const long Window = 300_000_000;

    internal const long Day = 86_400_000_000;

    private static readonly long First = Timestamps.ToMicros(DateTime.MinValue);
    private static readonly long End = FloorToWindow(Timestamps.ToMicros(DateTime.MaxValue));

    /// <summary>The start of a time's day.</summary>
    internal static long FloorToDay(long micros) => Floor(micros, Day);

    /// <summary>The start of a time's window.</summary>
    internal static long FloorToWindow(long micros) => Floor(micros, Window);

    private static long Floor(long micros, long unit) => micros - (((micros % unit) + unit) % unit);
}
