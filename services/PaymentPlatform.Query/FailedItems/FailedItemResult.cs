using PaymentPlatform.Events;

namespace PaymentPlatform.Query.FailedItems;

/// <param name="Status">Null where there is no such item.</param>
/// <param name="Errors">Of an <see cref="FailedItemOutcome.Invalid"/> one.</param>
internal sealed record FailedItemResult(long Id, FailedItemOutcome Outcome, string? Status, IReadOnlyList<ValidationError> Errors)
{
    public bool IsDone => Outcome is FailedItemOutcome.Done or FailedItemOutcome.Unchanged;

    /// <summary>Why it is not done, and what to do: one or two sentences.</summary>
    public string Detail => Outcome switch
    {
        FailedItemOutcome.NotFound => "There is no dead letter with this id.",
        FailedItemOutcome.Invalid => $"What would go out is not a valid event: {Errors[0].Message} Send the corrected payload.",
        FailedItemOutcome.Sending => "Its resubmission is under way. Ask for it again in a minute.",
        FailedItemOutcome.Ended when Status == FailedItemStatus.Resubmitted => "It is resubmitted already: once, with one payload. That stands.",
        FailedItemOutcome.Ended => $"It is {Status} already. That stands.",
        _ => "",
    };
}
