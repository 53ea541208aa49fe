namespace PaymentPlatform.Events;

/// <summary>The fields the platform knows, in the order of <see cref="FieldSchema"/>.</summary>
internal enum Field : byte
{
    TransactionId,
    TransactionTimestamp,
    Amount,
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
    Metadata,
    ComplianceViolations,
    ViolationSeverity,
    Unknown,
}
