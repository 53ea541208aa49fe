using System.Text;
using System.Text.Json.Serialization;

namespace PaymentPlatform.Query.Tests;

/// <summary>A row of an archive file as a test makes it; the names are the columns'.</summary>
public sealed record TestEvent
{
    [JsonPropertyName("transaction_id")] public string? TransactionId { get; init; }

    /// <summary>Microseconds since the Unix epoch.</summary>
    [JsonPropertyName("transaction_timestamp")] public long? Time { get; init; }

    [JsonPropertyName("amount")] public string? Amount { get; init; }

    [JsonPropertyName("currency")] public string? Currency { get; init; } = "EUR";

    [JsonPropertyName("payment_method")] public string? PaymentMethod { get; init; } = "credit_card";

    [JsonPropertyName("payment_status")] public string? PaymentStatus { get; init; } = "completed";

    [JsonPropertyName("customer_id")] public string? CustomerId { get; init; }

    [JsonPropertyName("merchant_id")] public string? MerchantId { get; init; }

    [JsonPropertyName("merchant_name")] public string? MerchantName { get; init; }

    [JsonPropertyName("metadata")] public string? Metadata { get; init; }

    [JsonPropertyName("compliance_violations")] public string? Violations { get; init; }

    [JsonPropertyName("message_id")] public string MessageId { get; init; } = Guid.NewGuid().ToString();

    [JsonPropertyName("stream_log_id")] public string LogId { get; init; } = "log-1";

    [JsonPropertyName("stream_partition")] public int Partition { get; init; }

    [JsonPropertyName("stream_offset")] public required long Offset { get; init; }

    [JsonPropertyName("enqueued_at")] public required long EnqueuedAt { get; init; }

    [JsonPropertyName("is_valid")] public bool IsValid { get; init; } = true;

    [JsonPropertyName("errors")] public string? Errors { get; init; }

    [JsonPropertyName("origin")] public string Origin { get; init; } = "live";

    [JsonPropertyName("origin_id")] public string? OriginId { get; init; }

    [JsonPropertyName("duplicate")] public bool IsDuplicate { get; init; }

    [JsonPropertyName("raw_payload")] public string RawPayloadBase64 => Convert.ToBase64String(RawPayload);

    [JsonIgnore] public byte[] RawPayload { get; init; } = Encoding.UTF8.GetBytes("{}");
}
