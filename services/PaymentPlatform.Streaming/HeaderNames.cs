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
}
