namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>The archive's columns, in file order. A change of it is a new <see cref="ParquetSerializer.SchemaVersion"/>.</summary>
internal static class ArchiveSchema
{
    public const string RootName = "raw_event";

    public static readonly ColumnSchema TransactionId = Text("transaction_id");
    public static readonly ColumnSchema TransactionTimestamp = new("transaction_timestamp", PhysicalType.Int64, Annotation.TimestampMicros);
    public static readonly ColumnSchema Amount = new("amount", PhysicalType.FixedLengthByteArray, Annotation.Decimal19Scale4);
    public static readonly ColumnSchema Currency = Text("currency");
    public static readonly ColumnSchema PaymentMethod = Text("payment_method");
    public static readonly ColumnSchema PaymentStatus = Text("payment_status");
    public static readonly ColumnSchema CustomerId = Text("customer_id");
    public static readonly ColumnSchema CustomerEmail = Text("customer_email");
    public static readonly ColumnSchema CustomerCountry = Text("customer_country");
    public static readonly ColumnSchema MerchantId = Text("merchant_id");
    public static readonly ColumnSchema MerchantName = Text("merchant_name");
    public static readonly ColumnSchema MerchantCategory = Text("merchant_category");
    public static readonly ColumnSchema TransactionType = Text("transaction_type");
    public static readonly ColumnSchema Channel = Text("channel");
    public static readonly ColumnSchema DeviceType = Text("device_type");
    public static readonly ColumnSchema CorrelationId = Text("correlation_id");
    public static readonly ColumnSchema Metadata = Text("metadata");
    public static readonly ColumnSchema ComplianceViolations = Text("compliance_violations");
    public static readonly ColumnSchema ViolationSeverity = Text("violation_severity");
    public static readonly ColumnSchema MessageId = Text("message_id");
    public static readonly ColumnSchema Stream = Text("stream") with { Required = true };
    public static readonly ColumnSchema StreamLogId = Text("stream_log_id") with { Required = true };
    public static readonly ColumnSchema StreamPartition = new("stream_partition", PhysicalType.Int32, Required: true);
    public static readonly ColumnSchema StreamOffset = new("stream_offset", PhysicalType.Int64, Required: true);
    public static readonly ColumnSchema EnqueuedAt = new("enqueued_at", PhysicalType.Int64, Annotation.TimestampMicros, Required: true);
    public static readonly ColumnSchema ArchivedAt = new("archived_at", PhysicalType.Int64, Annotation.TimestampMicros, Required: true);
    public static readonly ColumnSchema IsValid = new("is_valid", PhysicalType.Boolean);
    public static readonly ColumnSchema Errors = Text("errors");
    public static readonly ColumnSchema Origin = Text("origin");
    public static readonly ColumnSchema OriginId = Text("origin_id");
    public static readonly ColumnSchema Duplicate = new("duplicate", PhysicalType.Boolean);
    public static readonly ColumnSchema RawPayload = new("raw_payload", PhysicalType.ByteArray);

    public static readonly ColumnSchema[] Columns =
    [
        TransactionId, TransactionTimestamp, Amount, Currency, PaymentMethod, PaymentStatus, CustomerId, CustomerEmail, CustomerCountry,
        MerchantId, MerchantName, MerchantCategory, TransactionType, Channel, DeviceType, CorrelationId, Metadata, ComplianceViolations,
        ViolationSeverity, MessageId, Stream, StreamLogId, StreamPartition, StreamOffset, EnqueuedAt, ArchivedAt, IsValid, Errors, Origin,
        OriginId, Duplicate, RawPayload,
    ];

    private static ColumnSchema Text(string name) => new(name, PhysicalType.ByteArray, Annotation.Text);
}
