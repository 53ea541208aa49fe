namespace PaymentPlatform.Streaming.Kafka;

/// <summary>A partition as the polling thread knows it: assigned by the brokers, and read once it is open.</summary>
internal sealed class PolledPartition(int id)
{
    public int Id => id;

    /// <summary>What the caller was told; null until the first opening.</summary>
    public OwnedPartition? Owned { get; set; }

    /// <summary>Of <see cref="Owned"/>, when it was opened.</summary>
    public int Generation { get; set; }

    /// <summary>What comes is ours to hand out. Until then it is dropped.</summary>
    public bool IsOpen { get; set; }

    /// <summary>The next offset to hand out.</summary>
    public long Next { get; set; }

    /// <summary>The batch that is being filled.</summary>
    public KafkaMessageBatch? Batch { get; set; }

    /// <summary>When the batch's first message came, in milliseconds of the machine's clock.</summary>
    public long BatchBegan { get; set; }

    public bool IsPaused { get; set; }

    /// <summary>Opening is tried at this moment of the monotonic clock.</summary>
    public long OpenAt { get; set; }

    public int Faults { get; set; }

    /// <summary>The position that lay beyond the log's end when it was last looked at; one look can be wrong while a leader changes.</summary>
    public long? Beyond { get; set; }

    public void Close()
    {
        IsOpen = false;
        Batch?.Dispose();
        Batch = null;
    }
}
