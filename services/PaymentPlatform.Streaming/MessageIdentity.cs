namespace PaymentPlatform.Streaming;

/// <summary>What a repeat of an event has in common with it: the idempotency key of its request and its place there.</summary>
/// <param name="Key">UTF-8; empty when the event came without a key.</param>
/// <param name="Index">Zero-based index among the request's events.</param>
public readonly record struct MessageIdentity(ReadOnlyMemory<byte> Key, long Index);
