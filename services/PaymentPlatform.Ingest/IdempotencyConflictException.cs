namespace PaymentPlatform.Ingest;

/// <summary>The idempotency key was used with another body.</summary>
internal sealed class IdempotencyConflictException : Exception;
