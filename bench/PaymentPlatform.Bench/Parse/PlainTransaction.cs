using System.Text.Json;

namespace PaymentPlatform.Bench.Parse;

/// <summary>The event as most services would declare it for the serializer.</summary>
internal sealed record PlainTransaction(
    string? transaction_id,
    DateTime? transaction_timestamp,
    decimal? amount,
    string? currency,
    string? payment_method,
    string? payment_status,
    string? customer_id,
    string? customer_email,
    string? customer_country,
    string? merchant_id,
    string? merchant_name,
    string? merchant_category,
    string? transaction_type,
    string? channel,
    string? device_type,
    string? correlation_id,
    JsonElement metadata,
    string[]? compliance_violations,
    string? violation_severity);
