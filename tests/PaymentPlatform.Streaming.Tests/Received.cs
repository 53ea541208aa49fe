using System.Text;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Tests;

/// <summary>A copy of a received message.</summary>
public sealed record Received(StreamPartition Partition, long Offset, long EnqueuedAtMicros, byte[] Body, string MessageId, string CorrelationId, string Key, MessageHeaders Headers)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public static Received From(StreamPartition partition, in ReceivedMessage message) => new(
        partition, message.Offset, message.EnqueuedAtMicros, message.Message.Body.ToArray(), Encoding.UTF8.GetString(message.Message.MessageId.Span),
        Encoding.UTF8.GetString(message.Message.CorrelationId.Span), Encoding.UTF8.GetString(message.Message.PartitionKey.Span), message.Message.Headers);
}
