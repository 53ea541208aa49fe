namespace PaymentPlatform.Events;

/// <summary>Names, aliases and size limits of the known fields.</summary>
internal static class FieldSchema
{
    public const int Count = (int)Field.Unknown;

    /// <summary>The first six fields: one bit each.</summary>
    public const uint Required = 0b11_1111;

    private static readonly string[] Names =
    [
        "transaction_id", "transaction_timestamp", "amount", "currency", "payment_method", "payment_status",
        "customer_id", "customer_email", "customer_country", "merchant_id", "merchant_name", "merchant_category",
        "transaction_type", "channel", "device_type", "correlation_id", "metadata", "compliance_violations", "violation_severity",
    ];

    /// <summary>Bytes of UTF-8, after unescaping. What may become a key in PostgreSQL has to stay far under an index page.</summary>
    private static ReadOnlySpan<ushort> Limits => [256, 64, 1024, 64, 64, 64, 256, 1024, 64, 256, 1024, 256, 64, 64, 64, 256, 0, 0, 64];

    public static string Name(Field field) => Names[(int)field];

    public static int MaxBytes(Field field) => Limits[(int)field];

    /// <summary>The spelling that was matched: aliases differ from the name in their length.</summary>
    public static string Spelling(Field field, int length) => (field, length) switch
    {
        (Field.TransactionTimestamp, 9) => "timestamp",
        (Field.PaymentStatus, 6) => "status",
        _ => Name(field),
    };

    /// <param name="name">A property name, unescaped.</param>
    public static Field Match(ReadOnlySpan<byte> name) => name.Length switch
    {
        6 => name[0] == 'a' ? If(name, "amount"u8, Field.Amount) : If(name, "status"u8, Field.PaymentStatus),
        7 => If(name, "channel"u8, Field.Channel),
        8 => name[0] == 'c' ? If(name, "currency"u8, Field.Currency) : If(name, "metadata"u8, Field.Metadata),
        9 => If(name, "timestamp"u8, Field.TransactionTimestamp),
        11 => name[0] switch
        {
            (byte)'c' => If(name, "customer_id"u8, Field.CustomerId),
            (byte)'m' => If(name, "merchant_id"u8, Field.MerchantId),
            _ => If(name, "device_type"u8, Field.DeviceType),
        },
        13 => If(name, "merchant_name"u8, Field.MerchantName),
        14 => name[0] switch
        {
            (byte)'t' => If(name, "transaction_id"u8, Field.TransactionId),
            (byte)'p' => name[8] == 'm' ? If(name, "payment_method"u8, Field.PaymentMethod) : If(name, "payment_status"u8, Field.PaymentStatus),
            _ => name[1] == 'u' ? If(name, "customer_email"u8, Field.CustomerEmail) : If(name, "correlation_id"u8, Field.CorrelationId),
        },
        16 => name[0] == 'c' ? If(name, "customer_country"u8, Field.CustomerCountry) : If(name, "transaction_type"u8, Field.TransactionType),
        17 => If(name, "merchant_category"u8, Field.MerchantCategory),
        18 => If(name, "violation_severity"u8, Field.ViolationSeverity),
        21 => name[0] == 't' ? If(name, "transaction_timestamp"u8, Field.TransactionTimestamp) : If(name, "compliance_violations"u8, Field.ComplianceViolations),
        _ => Field.Unknown,
    };

    private static Field If(ReadOnlySpan<byte> name, ReadOnlySpan<byte> candidate, Field field) =>
        name.SequenceEqual(candidate) ? field : Field.Unknown;
}
