namespace PaymentPlatform.Streaming;

/// <summary>A message as it stands in its partition.</summary>
/// <param name="Offset">Its position; grows strictly within the partition, holes are possible.</param>
/// <param name="EnqueuedAtMicros">When the stream took it: microseconds since the Unix epoch, the stream's clock.</param>
/// <param name="Identity">Of a message that may come again, over a transport that can't keep repeats out itself.</param>
public readonly record struct ReceivedMessage(long Offset, long EnqueuedAtMicros, Message Message, MessageIdentity Identity = default);
