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
                TextsOf(transaction)[TextFields[i]] = new(Encoding.UTF8.GetBytes(text));
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

    // Only the parser fills it; here any combination of values is wanted, also those it never makes.
    private static readonly int[] TextFields = [.. TextColumns.Select(FieldNumber)];

    private static int FieldNumber(string column)
    {
        var name = string.Concat(column.Split('_').Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
        return Convert.ToInt32(Enum.Parse(typeof(ParsedTransaction).Assembly.GetType("PaymentPlatform.Events.Field", throwOnError: true)!, name));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_texts")]
    private static extern ref Utf8Text[] TextsOf(ParsedTransaction t);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_TransactionTimestampMicros")]
    private static extern void Set(ParsedTransaction t, long? value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_AmountScaled")]
    private static extern void Set(ParsedTransaction t, Int128? value);
}
