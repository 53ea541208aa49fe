namespace PaymentPlatform.Streaming;

/// <summary>One event on its way. The memories point into the sender's or the batch's buffers.</summary>
/// <param name="Body">The event's bytes, exactly as sent.</param>
/// <param name="MessageId">UTF-8. The event's identity.</param>
/// <param name="CorrelationId">UTF-8; empty when there is none.</param>
/// <param name="PartitionKey">UTF-8. Messages of one key stay in order; without a key any partition will do.</param>
public readonly record struct Message(
    ReadOnlyMemory<byte> Body,
    ReadOnlyMemory<byte> MessageId,
    ReadOnlyMemory<byte> CorrelationId,
    ReadOnlyMemory<byte> PartitionKey,
    MessageHeaders Headers);
