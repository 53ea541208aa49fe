using PaymentPlatform.Query.Lifecycle;

namespace PaymentPlatform.Query.Audit;

/// <summary>All that is known of a payment.</summary>
/// <param name="AsOf">UTC: the moment of what the database tells. The archive's part is not older than the question, and not younger than this.</param>
/// <param name="Events">By arrival.</param>
/// <param name="FailedItems">Its dead letters, and those that its resubmissions came of; by id.</param>
/// <param name="MetricHits">What rules found in its events, by event time. Windows are not of one payment.</param>
/// <param name="LegalHolds">Of the payment, or of a range that one of its events is in; null: the caller lacks the role for it.</param>
/// <param name="Cut">Names of the lists that are longer than they are here, or may be: a replay whose filter, of an earlier version, is refused by now is told only where its events have arrived.</param>
internal sealed record AuditTrail(
    string TransactionId, DateTime AsOf, IReadOnlyList<AuditEvent> Events, IReadOnlyList<AuditFailedItem> FailedItems, IReadOnlyList<DynamicMetricItem> MetricHits, IReadOnlyList<AuditReplay> Replays,
    IReadOnlyList<HoldItem>? LegalHolds, IReadOnlyList<string> Cut, ArchiveTail Tail)
{
    public bool IsEmpty => Events.Count == 0 && FailedItems.Count == 0 && MetricHits.Count == 0;
}
