using PaymentPlatform.Events;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Storage.Archive;

/// <summary>One event as the archive keeps it. All spans and texts are copied by <see cref="RawEventBuffer.Append(in RawEvent)"/>.</summary>
public readonly ref struct RawEvent
{
    public required StreamPartition Partition { get; init; }

    public required long Offset { get; init; }

    /// <summary>Microseconds since the Unix epoch, the stream's clock.</summary>
    public required long EnqueuedAtMicros { get; init; }

    /// <summary>UTF-8; empty for none.</summary>
    public required ReadOnlySpan<byte> MessageId { get; init; }

    /// <summary>UTF-8, the message's; empty for none. The event's own comes first.</summary>
    public required ReadOnlySpan<byte> CorrelationId { get; init; }

    /// <summary>The exact bytes of the event, masked where card data had to be.</summary>
    public required ReadOnlySpan<byte> RawPayload { get; init; }

    public required ParsedTransaction Transaction { get; init; }

    /// <summary>Empty for a valid event.</summary>
    public required IReadOnlyList<ValidationError> Errors { get; init; }

    public EventOrigin Origin { get; init; }

    /// <summary>UTF-8: the failed item or the replay the event came from; empty for none.</summary>
    public ReadOnlySpan<byte> OriginId { get; init; }

    /// <summary>True for an event that had come before under the same idempotency key.</summary>
    public bool Duplicate { get; init; }
}
