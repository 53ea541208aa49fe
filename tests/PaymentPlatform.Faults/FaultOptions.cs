using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults;

/// <summary>What to run.</summary>
public sealed record FaultOptions
{
    public int Runs { get; init; } = 20;

    /// <summary>Of the first run; the others count up from it.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Null: both, in turn.</summary>
    public FaultMode? Mode { get; init; }

    /// <summary>Runs at once. The server's restart is among the faults only when it is 1.</summary>
    public int Parallel { get; init; } = 1;

    /// <summary>Leaves a failed run's database and container behind, and every run's log.</summary>
    public bool Keep { get; init; }

    /// <summary>Even seeds are of one mode, odd ones of the other.</summary>
    public FaultMode ModeOf(int seed) => Mode ?? (seed % 2 == 0 ? FaultMode.Liveness : FaultMode.Safety);
}
