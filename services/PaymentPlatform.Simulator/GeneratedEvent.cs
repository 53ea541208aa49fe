namespace PaymentPlatform.Simulator;

/// <summary>What was written.</summary>
/// <param name="Length">In bytes.</param>
/// <param name="IsValid">False for an event that was made wrong on purpose.</param>
/// <param name="CustomerId">UTF-8; the stream's partition key.</param>
public readonly record struct GeneratedEvent(int Length, bool IsValid, ReadOnlyMemory<byte> CustomerId);
