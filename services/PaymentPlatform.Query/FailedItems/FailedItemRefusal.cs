using PaymentPlatform.Events;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>Why a dead letter was not changed.</summary>
/// <param name="Errors">The first ten of an event that is not valid; empty otherwise.</param>
public sealed record FailedItemRefusal(long Id, string Detail, IReadOnlyList<ValidationError> Errors);
