using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Storage.Archive;

/// <summary>One archived event: all columns of its row. Times are microseconds since the Unix epoch.</summary>
public sealed class ArchivedEvent
{
    public required string? TransactionId { get; init; }

    public required long? TransactionTimestampMicros { get; init; }

    /// <summary>Exact, four decimals at most.</summary>
    public required decimal? Amount { get; init; }

    public required string? Currency { get; init; }

    public required string? PaymentMethod { get; init; }

    public required string? PaymentStatus { get; init; }

    public required string? CustomerId { get; init; }

    public required string? CustomerEmail { get; init; }

    public required string? CustomerCountry { get; init; }

    public required string? MerchantId { get; init; }

    public required string? MerchantName { get; init; }

    public required string? MerchantCategory { get; init; }

    public required string? TransactionType { get; init; }

    public required string? Channel { get; init; }

    public required string? DeviceType { get; init; }

    public required string? CorrelationId { get; init; }

    /// <summary>JSON text.</summary>
    public required string? Metadata { get; init; }

    /// <summary>JSON text.</summary>
    public required string? ComplianceViolations { get; init; }

    public required string? ViolationSeverity { get; init; }

    public required string? MessageId { get; init; }

    public required StreamPartition Partition { get; init; }

    public required long Offset { get; init; }

    public required long EnqueuedAtMicros { get; init; }

    public required long ArchivedAtMicros { get; init; }

    public required bool IsValid { get; init; }

    /// <summary>JSON text of the validation errors; null for a valid event.</summary>
    public required string? Errors { get; init; }

    public required EventOrigin Origin { get; init; }

    public required string? OriginId { get; init; }

    public required bool Duplicate { get; init; }

    /// <summary>The exact bytes.</summary>
    public required byte[] RawPayload { get; init; }
}
