namespace PaymentPlatform.Query.Replay;

/// <summary>An archived event on its way. The memories are its own.</summary>
/// <param name="At">Its place in the order of arrival.</param>
internal sealed record ReplayedEvent(byte[] Body, byte[] MessageId, byte[] CorrelationId, byte[] PartitionKey, EventCursor At)
{
    public int Bytes => Body.Length + MessageId.Length + CorrelationId.Length + PartitionKey.Length;
}
