using System.Text.Json.Serialization;
using PaymentPlatform.Events;

namespace PaymentPlatform.Ingest;

/// <summary>An event that was refused; it went nowhere.</summary>
/// <param name="Index">Zero-based over the elements or the lines that are not blank.</param>
/// <param name="TransactionId">Null where it can't be read.</param>
/// <param name="Errors">All that is wrong with it.</param>
public sealed record RejectedEvent(
    [property: JsonPropertyName("index")] long Index,
    [property: JsonPropertyName("transaction_id")] string? TransactionId,
    [property: JsonPropertyName("errors")] IReadOnlyList<ValidationError> Errors);
