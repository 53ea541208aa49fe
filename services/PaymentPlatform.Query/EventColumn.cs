namespace PaymentPlatform.Query;

/// <summary>A column of an event, and how it is taken from Parquet.</summary>
public sealed record EventColumn(string Name, EventColumnKind Kind)
{
    /// <summary>All columns, in the order of every answer. <c>archive_file</c> comes in front of the payload.</summary>
    public static IReadOnlyList<EventColumn> All { get; } =
    [
        new("transaction_id", EventColumnKind.Text),
        new("transaction_timestamp", EventColumnKind.Timestamp),
        new("amount", EventColumnKind.Amount),
        new("currency", EventColumnKind.Text),
        new("payment_method", EventColumnKind.Text),
        new("payment_status", EventColumnKind.Text),
        new("customer_id", EventColumnKind.Text),
        new("customer_email", EventColumnKind.Text),
        new("customer_country", EventColumnKind.Text),
        new("merchant_id", EventColumnKind.Text),
        new("merchant_name", EventColumnKind.Text),
        new("merchant_category", EventColumnKind.Text),
        new("transaction_type", EventColumnKind.Text),
        new("channel", EventColumnKind.Text),
        new("device_type", EventColumnKind.Text),
        new("correlation_id", EventColumnKind.Text),
        new("metadata", EventColumnKind.Json),
        new("compliance_violations", EventColumnKind.Json),
        new("violation_severity", EventColumnKind.Text),
        new("message_id", EventColumnKind.Text),
        new("stream", EventColumnKind.Text),
        new("stream_log_id", EventColumnKind.Text),
        new("stream_partition", EventColumnKind.Integer),
        new("stream_offset", EventColumnKind.Integer),
        new("enqueued_at", EventColumnKind.Timestamp),
        new("archived_at", EventColumnKind.Timestamp),
        new("is_valid", EventColumnKind.Boolean),
        new("errors", EventColumnKind.Json),
        new("origin", EventColumnKind.Text),
        new("origin_id", EventColumnKind.Text),
        new("duplicate", EventColumnKind.Boolean),
        new("filename", EventColumnKind.Text),
        new("raw_payload", EventColumnKind.Payload),
    ];

    /// <summary>A column's place in <see cref="All"/>.</summary>
    public static int OrdinalOf(string name) => All.Index().First(c => c.Item.Name == name).Index;

    /// <summary>The name in an answer.</summary>
    public string PublicName => Name == FileName ? "archive_file" : Name;

    /// <summary>The engine's column that holds the local path; it is answered as the blob's name.</summary>
    public const string FileName = "filename";

    /// <summary>A scan's select list.</summary>
    public static string SelectList { get; } = string.Join(", ", All.Select(c => c.Kind switch
    {
        EventColumnKind.Timestamp => $"epoch_us({c.Name})",
        EventColumnKind.Integer => $"{c.Name}::BIGINT",
        EventColumnKind.Text or EventColumnKind.Json => $"{c.Name}::VARCHAR",
        EventColumnKind.Amount => $"{c.Name}::DECIMAL(19, 4)",
        _ => c.Name,
    }));
}
