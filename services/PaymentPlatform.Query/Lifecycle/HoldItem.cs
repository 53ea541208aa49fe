namespace PaymentPlatform.Query.Lifecycle;

/// <summary>A legal hold: of the events of a range, or of one payment.</summary>
/// <param name="From">Inclusive, of transaction time or arrival; null for a payment's, as is <paramref name="To"/>.</param>
/// <param name="ReleasedAt">Null while it holds.</param>
public record HoldItem(long Id, DateTime? From, DateTime? To, string? TransactionId, string Reason, string PlacedBy, DateTime PlacedAt, string? ReleasedBy, DateTime? ReleasedAt);
