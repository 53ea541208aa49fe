namespace PaymentPlatform.Events;

internal enum AmountOutcome
{
    Exact,
    NotANumber,

    /// <summary>More than fifteen integer digits, or more than four decimals that are not zero.</summary>
    OutOfRange,
}
