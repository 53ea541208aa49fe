using System.Text.Json.Serialization;

namespace PaymentPlatform.Ingest;

/// <summary>The answer to <c>POST /v1/transactions</c>.</summary>
/// <param name="Accepted">Events that the stream holds durably, those of an earlier try under the same key included.</param>
/// <param name="RejectedCount">Events refused, also those beyond the list.</param>
/// <param name="Rejected">The first 1,000 of them.</param>
public sealed record IngestResponse(
    [property: JsonPropertyName("accepted")] long Accepted,
    [property: JsonPropertyName("rejected_count")] long RejectedCount,
    [property: JsonPropertyName("rejected")] IReadOnlyList<RejectedEvent> Rejected);
