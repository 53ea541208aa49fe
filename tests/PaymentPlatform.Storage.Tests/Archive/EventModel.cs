using System.Runtime.CompilerServices;
using System.Text;
using PaymentPlatform.Events;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Storage.Tests.Archive;

/// <summary>A row as the test means it; texts in the order of <see cref="TextColumns"/>.</summary>
public sealed record EventModel
{
    /// <summary>The text columns that come from the event itself.</summary>
    public static readonly string[] TextColumns =
    [
        "transaction_id", "currency", "payment_method", "payment_status", "customer_id", "customer_email", "customer_country", "merchant_id",
        "merchant_name", "merchant_category", "transaction_type", "channel", "device_type", "correlation_id", "metadata", "compliance_violations", "violation_severity",
    ];

    public string?[] Texts { get; init; } = new string?[TextColumns.Length];

    public long? TimestampMicros { get; init; }

    public Int128? Amount { get; init; }

    public string? MessageId { get; init; }

    public string? MessageCorrelationId { get; init; }

    public StreamPartition Partition { get; init; } = new("payments", "log-1", 0);

    public long Offset { get; init; }

    public long EnqueuedAt { get; init; }

    public ValidationError[] Errors { get; init; } = [];

    public EventOrigin Origin { get; init; }

    public string? OriginId { get; init; }

    public bool Duplicate { get; init; }

    public byte[] Payload { get; init; } = [];

    public string? Text(string column) => Texts[Array.IndexOf(TextColumns, column)];

    /// <summary>What the column correlation_id must hold.</summary>
    public string? CorrelationId => Text("correlation_id") is { Length: > 0 } own ? own : MessageCorrelationId;

    public void AppendTo(RawEventBuffer buffer)
    {
        var transaction = new ParsedTransaction();
        Set(transaction, TimestampMicros);
        Set(transaction, Amount);
        for (var i = 0; i < Texts.Length; i++)
        {
            if (Texts[i] is { } text)
                Setters[i](transaction, new(Encoding.UTF8.GetBytes(text)));
        }

        buffer.Append(new RawEvent
        {
            Partition = Partition,
            Offset = Offset,
            EnqueuedAtMicros = EnqueuedAt,
            MessageId = Bytes(MessageId),
            CorrelationId = Bytes(MessageCorrelationId),
            RawPayload = Payload,
            Transaction = transaction,
            Errors = Errors,
            Origin = Origin,
            OriginId = Bytes(OriginId),
            Duplicate = Duplicate,
        });
    }

    private static ReadOnlySpan<byte> Bytes(string? text) => text is null ? default : Encoding.UTF8.GetBytes(text);

    // The setters are the parser's; here any combination of values is wanted, also those it never makes.
    private static readonly Action<ParsedTransaction, Utf8Text>[] Setters =
    [
        TransactionId, Currency, PaymentMethod, PaymentStatus, CustomerId, CustomerEmail, CustomerCountry, MerchantId,
        MerchantName, MerchantCategory, TransactionType, Channel, DeviceType, Correlation, Metadata, ComplianceViolations, ViolationSeverity,
    ];

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_TransactionTimestampMicros")]
    private static extern void Set(ParsedTransaction t, long? value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_AmountScaled")]
    private static extern void Set(ParsedTransaction t, Int128? value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_TransactionId")]
    private static extern void TransactionId(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Currency")]
    private static extern void Currency(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_PaymentMethod")]
    private static extern void PaymentMethod(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_PaymentStatus")]
    private static extern void PaymentStatus(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_CustomerId")]
    private static extern void CustomerId(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_CustomerEmail")]
    private static extern void CustomerEmail(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_CustomerCountry")]
    private static extern void CustomerCountry(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MerchantId")]
    private static extern void MerchantId(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MerchantName")]
    private static extern void MerchantName(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MerchantCategory")]
    private static extern void MerchantCategory(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_TransactionType")]
    private static extern void TransactionType(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Channel")]
    private static extern void Channel(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_DeviceType")]
    private static extern void DeviceType(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_CorrelationId")]
    private static extern void Correlation(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Metadata")]
    private static extern void Metadata(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_ComplianceViolations")]
    private static extern void ComplianceViolations(ParsedTransaction t, Utf8Text value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_ViolationSeverity")]
    private static extern void ViolationSeverity(ParsedTransaction t, Utf8Text value);
}
