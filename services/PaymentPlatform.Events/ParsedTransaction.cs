namespace PaymentPlatform.Events;

/// <summary>
/// The fields of one transaction event. The parser owns the instance and fills it again for the next event:
/// its texts point into the parsed payload (or the parser's scratch buffer) and must be copied to be kept.
/// A field that was absent, null or unreadable has no value, also in an invalid event.
/// </summary>
public sealed class ParsedTransaction
{
    private readonly Utf8Text[] _texts = new Utf8Text[FieldSchema.Count];

    public Utf8Text TransactionId => _texts[(int)Field.TransactionId];

    /// <summary>Microseconds since the Unix epoch, UTC; null when absent or unreadable.</summary>
    public long? TransactionTimestampMicros { get; internal set; }

    /// <summary>The amount times 10,000, exact; null when absent or outside decimal(19,4).</summary>
    public Int128? AmountScaled { get; internal set; }

    /// <summary>ISO 4217 alpha-3 as sent; no value unless it is one.</summary>
    public Utf8Text Currency => _texts[(int)Field.Currency];

    public Utf8Text PaymentMethod => _texts[(int)Field.PaymentMethod];

    /// <summary>Normalised: <c>success</c> is <c>completed</c>; no value unless it is a known status.</summary>
    public Utf8Text PaymentStatus => _texts[(int)Field.PaymentStatus];

    public Utf8Text CustomerId => _texts[(int)Field.CustomerId];

    public Utf8Text CustomerEmail => _texts[(int)Field.CustomerEmail];

    public Utf8Text CustomerCountry => _texts[(int)Field.CustomerCountry];

    public Utf8Text MerchantId => _texts[(int)Field.MerchantId];

    public Utf8Text MerchantName => _texts[(int)Field.MerchantName];

    public Utf8Text MerchantCategory => _texts[(int)Field.MerchantCategory];

    public Utf8Text TransactionType => _texts[(int)Field.TransactionType];

    public Utf8Text Channel => _texts[(int)Field.Channel];

    public Utf8Text DeviceType => _texts[(int)Field.DeviceType];

    public Utf8Text CorrelationId => _texts[(int)Field.CorrelationId];

    /// <summary>The JSON text of the <c>metadata</c> object, byte for byte.</summary>
    public Utf8Text Metadata => _texts[(int)Field.Metadata];

    /// <summary>The JSON text of the <c>compliance_violations</c> array, byte for byte.</summary>
    public Utf8Text ComplianceViolations => _texts[(int)Field.ComplianceViolations];

    public Utf8Text ViolationSeverity => _texts[(int)Field.ViolationSeverity];

    /// <summary><see cref="PartitionKeys.Of"/></summary>
    public Utf8Text PartitionKey => PartitionKeys.Of(CustomerId, TransactionId);

    internal void Set(Field field, Utf8Text text) => _texts[(int)field] = text;

    internal void Clear()
    {
        Array.Clear(_texts);
        TransactionTimestampMicros = null;
        AmountScaled = null;
    }
}
