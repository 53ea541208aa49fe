using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>What one receive brought.</summary>
internal sealed class HubMessageBatch(StreamPartition partition, long firstOffset, ReceivedMessage[] messages) : MessageBatch
{
    private readonly long _heldBytes = messages.Sum(m => HubMessages.HeldBytes(m));

    public override StreamPartition Partition => partition;

    public override long FirstOffset => firstOffset;

    public override long NextOffset { get; } = messages[^1].Offset + 1;

    public override ReadOnlySpan<ReceivedMessage> Messages => messages;

    public override long BodyBytes { get; } = messages.Sum(m => (long)m.Message.Body.Length);

    internal override long HeldBytes => _heldBytes;

    public override void Dispose()
    {
    }
}
