namespace PaymentPlatform.Query;

/// <summary>A recomputation of the derived figures from the archive.</summary>
/// <param name="From">Widened to whole days of UTC, as is <paramref name="To"/>, when it begins.</param>
/// <param name="State"><c>waiting</c>, <c>running</c>, <c>done</c>, <c>failed</c> or <c>cancelled</c>; only <c>done</c> has changed anything.</param>
/// <param name="Phase">What a running one is at.</param>
/// <param name="Error">Of one that has not ended: the fault that its attempt before met.</param>
/// <param name="EventsTotal">An estimate, from the manifest; null until it has begun.</param>
/// <param name="RuleFailures">Events on which the rules failed, a defect of the platform: their figures count, rules' results lack them.</param>
public sealed record RebuildItem(
    long Id, DateTime From, DateTime To, string State, string? Phase, int Attempts, long EventsRead, long? EventsTotal, string RequestedBy, DateTime RequestedAt, DateTime? StartedAt, DateTime? EndedAt, string? Error, long RuleFailures);
