namespace PaymentPlatform.Query;

/// <summary>The time by which a scan goes through the archive.</summary>
public enum TimeAxis
{
    /// <summary><c>transaction_timestamp</c>; events without a readable one are not on it.</summary>
    Transaction,

    /// <summary><c>transaction_timestamp</c> of valid events: a few minutes after <c>enqueued_at</c> at most, whatever an invalid event of the same file says.</summary>
    ValidTransaction,

    /// <summary><c>transaction_timestamp</c>, or <c>enqueued_at</c> where it was not readable.</summary>
    TransactionOrArrival,

    /// <summary><c>enqueued_at</c>.</summary>
    Arrival,
}
