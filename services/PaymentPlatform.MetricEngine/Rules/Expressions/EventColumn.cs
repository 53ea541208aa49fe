namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>What the parser gives, and what is derived from all of the event.</summary>
internal enum EventColumn
{
    TransactionId,
    Currency,
    PaymentMethod,
    PaymentStatus,
    CustomerId,
    CustomerEmail,
    CustomerCountry,
    MerchantId,
    MerchantName,
    MerchantCategory,
    TransactionType,
    Channel,
    DeviceType,
    CorrelationId,
    ViolationSeverity,
    Amount,
    TransactionTimestamp,
    CardData,
    None,
}
