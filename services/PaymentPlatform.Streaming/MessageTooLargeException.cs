namespace PaymentPlatform.Streaming;

/// <summary>A message exceeds what the transport takes.</summary>
/// <param name="size">Bytes of its body, or of its ids and key.</param>
/// <param name="limit">Bytes that are taken.</param>
/// <param name="index">Its index among the messages of the publish call, from 0; others of them may be too large as well.</param>
public sealed class MessageTooLargeException(int size, int limit, int index)
    : Exception($"A message of {size} bytes is larger than the stream takes ({limit} bytes).")
{
    public int Size => size;

    public int Limit => limit;

    public int Index => index;
}
