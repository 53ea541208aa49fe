namespace PaymentPlatform.Query.Replay;

/// <param name="IsLast">Nothing comes after it.</param>
internal sealed record ReplayPage(IReadOnlyList<ReplayedEvent> Events, bool IsLast, ReplayOutline Outline);
