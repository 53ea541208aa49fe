namespace PaymentPlatform.Events;

/// <summary>
/// The fields of one transaction event. The parser owns the instance and fills it again for the next event:
/// its texts point into the parsed payload (or the parser's scratch buffer) and must be copied to be kept.
/// A field that was absent, null or unreadable has no value, also in an invalid event.
/// </summary>
public sealed class ParsedTransaction
{
    public Utf8Text TransactionId { get; internal set; }

    /// <summary>Microseconds since the Unix epoch, UTC; null when absent or unreadable.</summary>
    public long? TransactionTimestampMicros { get; internal set; }

    /// <summary>The amount times 10,000, exact; null when absent or outside decimal(19,4).</summary>
    public Int128? AmountScaled { get; internal set; }

    /// <summary>ISO 4217 alpha-3 as sent.</summary>
    public Utf8Text Currency { get; internal set; }

    public Utf8Text PaymentMethod { get; internal set; }

    /// <summary>Normalised: <c>success</c> is <c>completed</c>.</summary>
    public Utf8Text PaymentStatus { get; internal set; }

    public Utf8Text CustomerId { get; internal set; }

    public Utf8Text CustomerEmail { get; internal set; }

    public Utf8Text CustomerCountry { get; internal set; }

    public Utf8Text MerchantId { get; internal set; }

    public Utf8Text MerchantName { get; internal set; }

    public Utf8Text MerchantCategory { get; internal set; }

    public Utf8Text TransactionType { get; internal set; }

    public Utf8Text Channel { get; internal set; }

    public Utf8Text DeviceType { get; internal set; }

    public Utf8Text CorrelationId { get; internal set; }

    /// <summary>The JSON text of the <c>metadata</c> object, byte for byte.</summary>
    public Utf8Text Metadata { get; internal set; }

    /// <summary>The JSON text of the <c>compliance_violations</c> array, byte for byte.</summary>
    public Utf8Text ComplianceViolations { get; internal set; }

    public Utf8Text ViolationSeverity { get; internal set; }

    /// <summary>The partition key: <c>customer_id</c>, else <c>transaction_id</c>, else nothing.</summary>
    public Utf8Text PartitionKey => CustomerId.Length > 0 ? CustomerId : TransactionId;
}
