namespace PaymentPlatform.Events;

/// <summary>Which events stay in order: those of a customer, or of a payment that names none.</summary>
public static class PartitionKeys
{
    /// <returns><c>customer_id</c>, else <c>transaction_id</c>, else nothing.</returns>
    public static Utf8Text Of(Utf8Text customerId, Utf8Text transactionId) => customerId.Length > 0 ? customerId : transactionId;
}
