namespace PaymentPlatform.Query.Audit;

/// <summary>An event that a replay takes.</summary>
/// <param name="Delivered">True: it is in the target. False: it was left out, as too large. Null: not known, as the replay has not noted that it came so far.</param>
public sealed record AuditReplayedEvent(AuditPosition Position, bool? Delivered);
