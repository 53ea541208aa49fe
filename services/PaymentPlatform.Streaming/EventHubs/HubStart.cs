namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>Where to begin reading a partition for a position of ours.</summary>
/// <param name="After">The event just before, which is in the log; null for the log's beginning.</param>
/// <param name="Lost">How many sequence numbers from the position on are gone.</param>
internal readonly record struct HubStart(long? After, long Lost)
{
    /// <summary>
    /// Names only events that the log holds: the service may refuse one that it no longer has, and does refuse one that it does not have yet.
    /// </summary>
    /// <param name="position">The sequence number to read next.</param>
    /// <returns>Null when the position lies beyond the end: this is not the log that the position belongs to.</returns>
    public static HubStart? For(long position, HubPartition partition)
    {
        if (position > partition.NextOffset)
            return null;
        return position > partition.FirstOffset ? new(position - 1, 0) : new(null, partition.FirstOffset - position);
    }
}
