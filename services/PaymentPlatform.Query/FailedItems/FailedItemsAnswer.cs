namespace PaymentPlatform.Query.FailedItems;

/// <summary>What one step of a change by filter did.</summary>
/// <param name="Done">Items that are now as the call wants them.</param>
/// <param name="Refused">Items that stay pending (what would go out is not valid), are on their way, or ended in another way meanwhile.</param>
/// <param name="Remaining">Pending items that fit the filter and come after this step's, as they were counted at the first step; 0 on the last one.</param>
/// <param name="NextCursor">For the next step; null on the last one.</param>
/// <param name="Refusals">The first 100 refused ones.</param>
public sealed record FailedItemsAnswer(int Done, int Refused, long Remaining, string? NextCursor, IReadOnlyList<FailedItemRefusal> Refusals);
