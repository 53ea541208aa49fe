using System.Text.Json;

namespace PaymentPlatform.Query;

/// <summary>A dead letter in a list; its payload is in <see cref="FailedItem"/>.</summary>
/// <param name="Errors">All that is wrong with the event.</param>
/// <param name="PayloadBytes">The payload's length.</param>
/// <param name="Status">pending, resubmitted, resolved or discarded.</param>
public record FailedItemSummary(
    long Id,
    string? TransactionId,
    string? CorrelationId,
    string? MessageId,
    string ErrorType,
    string ErrorMessage,
    JsonElement Errors,
    string Status,
    DateTime EnqueuedAt,
    DateTime FailedAt,
    int RetryCount,
    DateTime? LastRetryAt,
    DateTime? ResolvedAt,
    string? ResolvedBy,
    string? Notes,
    string Stream,
    string StreamLogId,
    int StreamPartition,
    long StreamOffset,
    int PayloadBytes);
