using PaymentPlatform.Streaming;

namespace PaymentPlatform.Ingest;

/// <summary>What all the events of one request have in common.</summary>
/// <param name="IdempotencyKey">Null when the request has none.</param>
/// <param name="RequestId">UTF-8: the first part of the message ids.</param>
/// <param name="CorrelationId">UTF-8: for events without one of their own.</param>
/// <param name="Headers">Trace context.</param>
internal sealed record RequestInfo(
    IngestFormat Format, string? IdempotencyKey, ReadOnlyMemory<byte> RequestId, ReadOnlyMemory<byte> CorrelationId, MessageHeaders Headers)
{
    private MessageHeaders? _maskedHeaders;

    /// <summary>Of the events whose card data was masked.</summary>
    public MessageHeaders MaskedHeaders => _maskedHeaders ??= Headers.With(HeaderNames.CardData, HeaderNames.Masked);
}
