namespace PaymentPlatform.Streaming;

/// <summary>Names of the headers that the platform itself sets and reads.</summary>
public static class HeaderNames
{
    /// <summary>W3C trace context of the request that sent the message.</summary>
    public const string TraceParent = "traceparent";

    /// <summary>W3C trace state.</summary>
    public const string TraceState = "tracestate";

    /// <summary>live (when absent), resubmission or replay.</summary>
    public const string Origin = "origin";

    /// <summary>The failed item or the replay that the message came from.</summary>
    public const string OriginId = "origin_id";

    /// <summary><see cref="Masked"/> on an event whose card data was masked before it came into the stream.</summary>
    public const string CardData = "card_data";

    public const string Masked = "masked";

    /// <summary>Over a broker: <see cref="MessageIdentity.Key"/>.</summary>
    public const string IdempotencyKey = "idempotency_key";

    /// <summary>Over a broker: <see cref="MessageIdentity.Index"/>, decimal.</summary>
    public const string IdempotencyIndex = "idempotency_index";

    /// <summary>Over a broker without a field for it: the message id.</summary>
    public const string MessageId = "message_id";

    /// <summary>Over a broker without a field for it: the correlation id.</summary>
    public const string CorrelationId = "correlation_id";
}
