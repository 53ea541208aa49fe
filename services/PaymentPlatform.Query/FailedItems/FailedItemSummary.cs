using System.Text.Json;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>A dead letter in a list; its payload and its history are in <see cref="FailedItem"/>.</summary>
/// <param name="Errors">All that is wrong with the event.</param>
/// <param name="Status">pending, resubmitted, resolved or discarded.</param>
/// <param name="Sending">A resubmission is under way: still pending, and neither resolved nor discarded until it is over.</param>
/// <param name="RetryCount">Resubmissions that were begun.</param>
/// <param name="ResolvedAt">When it left pending, whichever way; <paramref name="ResolvedBy"/> is who asked for it, <paramref name="Notes"/> why.</param>
/// <param name="ResubmittedAs">The message id of the event that it went out as; null unless it is resubmitted.</param>
/// <param name="ResubmittedSha256">Of the payload that went out, hexadecimal; null unless it is resubmitted.</param>
/// <param name="PayloadBytes">The payload's length.</param>
public record FailedItemSummary(
    long Id,
    string? TransactionId,
    string? CorrelationId,
    string? MessageId,
    string ErrorType,
    string ErrorMessage,
    JsonElement Errors,
    string Status,
    bool Sending,
    DateTime EnqueuedAt,
    DateTime FailedAt,
    int RetryCount,
    DateTime? LastRetryAt,
    DateTime? ResolvedAt,
    string? ResolvedBy,
    string? Notes,
    string? ResubmittedAs,
    string? ResubmittedSha256,
    string Stream,
    string StreamLogId,
    int StreamPartition,
    long StreamOffset,
    int PayloadBytes);
