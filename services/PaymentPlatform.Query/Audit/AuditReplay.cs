using PaymentPlatform.Query.Replay;

namespace PaymentPlatform.Query.Audit;

/// <summary>A replay that has to do with the payment.</summary>
/// <param name="Replay">Null where the replay's row is gone; then only <paramref name="Arrived"/> tells of it.</param>
/// <param name="OriginId">Its id, as the events that arrived say it.</param>
/// <param name="Arrived">Events of the trail that came in through it.</param>
/// <param name="Taken">Events of the trail that its range, filter and moment take, by its own rule; into its target, which need not be the live stream.</param>
public sealed record AuditReplay(string OriginId, ReplayItem? Replay, IReadOnlyList<AuditPosition> Arrived, IReadOnlyList<AuditReplayedEvent> Taken);
