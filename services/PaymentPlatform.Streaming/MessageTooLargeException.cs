namespace PaymentPlatform.Streaming;

/// <summary>A message exceeds what the transport takes.</summary>
public sealed class MessageTooLargeException(int size, int limit)
    : Exception($"A message of {size} bytes is larger than the stream takes ({limit} bytes).")
{
    public int Size => size;

    public int Limit => limit;
}
