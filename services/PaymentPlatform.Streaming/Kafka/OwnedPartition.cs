using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>A partition as the caller knows it. Guarded by <see cref="KafkaConsumerState"/>'s lock.</summary>
internal sealed class OwnedPartition(StreamPartition partition)
{
    public StreamPartition Partition => partition;

    /// <summary>Grows whenever what was read before must not be handed out any more.</summary>
    public int Generation { get; set; }

    /// <summary>Bytes that were read and not handed out.</summary>
    public long BufferedBytes { get; set; }

    public bool IsRevoking { get; set; }

    /// <summary>The caller gave it up: nothing is said about it any more.</summary>
    public bool IsReleased { get; set; }
}
