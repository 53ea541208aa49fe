using System.Text.Json;

namespace PaymentPlatform.Query.Replay;

/// <summary>Archived events that are published again.</summary>
/// <param name="From">Of transaction time, inclusive; <paramref name="To"/> is exclusive.</param>
/// <param name="Filter">As it was given.</param>
/// <param name="Rate">Events a second at most; null: as fast as the target takes them.</param>
/// <param name="State"><c>waiting</c>, <c>running</c>, <c>done</c>, <c>failed</c>, <c>stopping</c> (a process may still be publishing a chunk) or <c>stopped</c>.</param>
/// <param name="EventsDone">In the target; about a second old while it runs.</param>
/// <param name="EventsTotal">With those that are skipped; an estimate until it is done.</param>
/// <param name="EventsPerSecond">Of the last attempt; null before its first event.</param>
/// <param name="EstimatedEndAt">While it runs, as far as that can be told.</param>
/// <param name="Error">Why it failed, or what a waiting one waits for.</param>
/// <param name="OnOversized"><c>fail</c> or <c>skip</c>: what becomes of an event that is too large for the target.</param>
/// <param name="EventsSkipped">Left out, as too large.</param>
/// <param name="Skipped">The first of those.</param>
/// <param name="RenewedAt">The last sign of life of the process that works on it, which gives one each second; null while none does.</param>
public sealed record ReplayItem(
    Guid Id, DateTime From, DateTime To, JsonElement Filter, string Target, double? Rate, bool AllowLive, string State, int Attempts, long EventsDone, long EventsTotal, double? EventsPerSecond, DateTime? EstimatedEndAt,
    string RequestedBy, DateTime RequestedAt, DateTime? StartedAt, DateTime? EndedAt, string? Error, string OnOversized, long EventsSkipped, IReadOnlyList<SkippedEvent> Skipped, DateTime? RenewedAt);
