namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>What a partition holds: sequence numbers [<paramref name="FirstOffset"/>, <paramref name="NextOffset"/>).</summary>
internal readonly record struct HubPartition(long FirstOffset, long NextOffset)
{
    /// <summary>From what the service says of a partition.</summary>
    /// <param name="beginning">Sequence number of the oldest event; means nothing in an empty partition.</param>
    /// <param name="last">Sequence number of the event enqueued last, also when it is gone already; -1 when there never was one.</param>
    public static HubPartition From(bool isEmpty, long beginning, long last)
    {
        var next = Math.Max(last + 1, 0);
        return new(isEmpty ? next : Math.Clamp(beginning, 0, next), next);
    }
}
