using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Leasing;

/// <summary>What a consumer knows of one partition that it owns. Guarded by <see cref="ConsumerState"/>'s lock.</summary>
internal sealed class ConsumedPartition(StreamPartition partition, long position)
{
    public StreamPartition Partition => partition;

    /// <summary>Where the next fetch goes on.</summary>
    public long Position { get; set; } = position;

    /// <summary>Grows whenever what was fetched before must not be handed out any more.</summary>
    public int Generation { get; set; }

    /// <summary>Uncompressed bytes that were fetched and not handed out.</summary>
    public long BufferedBytes { get; set; }

    /// <summary>Nothing is fetched: it is being rewound, or on its way to another owner.</summary>
    public bool IsHeld { get; set; }

    public bool IsRevoking { get; set; }

    /// <summary>The caller gave it up: nothing is said about it any more.</summary>
    public bool IsReleased { get; set; }

    /// <summary>After a damaged record batch: not before this moment (of the monotonic clock).</summary>
    public long RetryAt { get; set; }

    public int Faults { get; set; }
}
