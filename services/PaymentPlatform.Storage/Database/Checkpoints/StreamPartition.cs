namespace PaymentPlatform.Storage.Database.Checkpoints;

/// <summary>One partition of one log. A stream that was dropped and created again is another log, with positions of its own.</summary>
/// <param name="Stream">The stream's (hub's, topic's) name.</param>
/// <param name="LogId">Names the log itself: the PostgreSQL log's id, the hub's creation time, Kafka's topic id.</param>
/// <param name="PartitionId">Zero-based.</param>
public readonly record struct StreamPartition(string Stream, string LogId, int PartitionId) : IComparable<StreamPartition>
{
    /// <summary>The order in which rows are locked, everywhere.</summary>
    public int CompareTo(StreamPartition other)
    {
        var byStream = string.CompareOrdinal(Stream, other.Stream);
        if (byStream != 0)
            return byStream;
        var byLog = string.CompareOrdinal(LogId, other.LogId);
        return byLog != 0 ? byLog : PartitionId.CompareTo(other.PartitionId);
    }

    public override string ToString() => $"{Stream}/{LogId}/{PartitionId}";
}
