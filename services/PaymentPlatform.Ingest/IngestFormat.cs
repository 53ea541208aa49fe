namespace PaymentPlatform.Ingest;

/// <summary>How a body holds its events.</summary>
internal enum IngestFormat
{
    /// <summary>One object or an array.</summary>
    Json,

    /// <summary>One object a line.</summary>
    Ndjson,

    /// <summary>One CloudEvent in structured mode.</summary>
    CloudEvent,

    /// <summary>An array of CloudEvents.</summary>
    CloudEventBatch,
}
