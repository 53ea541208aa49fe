using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics;

/// <summary>A row of <c>failed_items</c>: one message that is not a valid event. Owns all it holds.</summary>
/// <param name="ErrorType">The first error's constraint, one of <see cref="PaymentPlatform.Events.Constraints"/>.</param>
/// <param name="Errors">All errors: a JSON array of field, constraint, expected, actual, message.</param>
/// <param name="RawPayload">The message's bytes, card data masked.</param>
/// <param name="EnqueuedAtMicros">Microseconds since the Unix epoch.</param>
public sealed record FailedItem(
    StreamPartition Partition,
    long Offset,
    string MessageId,
    string? TransactionId,
    string CorrelationId,
    string ErrorType,
    string ErrorMessage,
    byte[] Errors,
    byte[] RawPayload,
    long EnqueuedAtMicros);
