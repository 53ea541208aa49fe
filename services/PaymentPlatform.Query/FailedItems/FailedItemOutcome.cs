namespace PaymentPlatform.Query.FailedItems;

/// <summary>What became of an item in a call.</summary>
internal enum FailedItemOutcome
{
    /// <summary>The call changed it.</summary>
    Done,

    /// <summary>It is what the call wants already.</summary>
    Unchanged,

    NotFound,

    /// <summary>What would go out is not a valid event.</summary>
    Invalid,

    /// <summary>Another resubmission of it is under way.</summary>
    Sending,

    /// <summary>It left pending in another way.</summary>
    Ended,
}
