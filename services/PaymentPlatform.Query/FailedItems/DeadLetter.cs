namespace PaymentPlatform.Query.FailedItems;

/// <summary>What a resubmission needs of a dead letter.</summary>
internal sealed record DeadLetter(long Id, string? CorrelationId, byte[] RawPayload);
