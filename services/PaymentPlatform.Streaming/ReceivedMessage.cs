namespace PaymentPlatform.Streaming;

/// <summary>A message as it stands in its partition.</summary>
/// <param name="Offset">Its position; grows strictly within the partition, holes are possible.</param>
/// <param name="EnqueuedAtMicros">When the stream took it: microseconds since the Unix epoch, the stream's clock.</param>
public readonly record struct ReceivedMessage(long Offset, long EnqueuedAtMicros, Message Message);
