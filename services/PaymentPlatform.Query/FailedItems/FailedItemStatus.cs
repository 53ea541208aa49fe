namespace PaymentPlatform.Query.FailedItems;

/// <summary>Values of <c>failed_items.status</c>. One leaves <see cref="Pending"/> once, and for good.</summary>
internal static class FailedItemStatus
{
    public const string Pending = "pending";
    public const string Resubmitted = "resubmitted";
    public const string Resolved = "resolved";
    public const string Discarded = "discarded";
}
