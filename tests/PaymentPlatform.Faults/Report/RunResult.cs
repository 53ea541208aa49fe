using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults.Report;

/// <summary>How one run went.</summary>
/// <param name="MayRestart">The database server's restart could be among the faults.</param>
/// <param name="Accepted">Events that the platform said it has.</param>
/// <param name="WorkingSet">Of the whole harness at the run's end, bytes.</param>
/// <param name="Reactions">What the platform did about the faults, by its own log.</param>
/// <param name="Failure">The invariant that broke and how; null when all were kept.</param>
/// <param name="Log">What happened, a line each; kept for failed runs only.</param>
public sealed record RunResult(
    int Seed, FaultMode Mode, bool MayRestart, int Accepted, IReadOnlyDictionary<FaultKind, int> Faults, IReadOnlyDictionary<string, int> Reactions, TimeSpan Elapsed, long WorkingSet, string? Failure, IReadOnlyList<string> Log);
