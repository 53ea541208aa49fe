namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>What kind of trouble a hub gives.</summary>
internal enum HubFault
{
    /// <summary>May be gone the next time.</summary>
    Transient,

    /// <summary>There is no such namespace, hub or consumer group, or it is disabled.</summary>
    NotFound,

    /// <summary>The position to start from is not in the log: it is not the log that the position belongs to.</summary>
    PositionInvalid,

    /// <summary>Another reader of the group has taken the partition.</summary>
    Disconnected,

    /// <summary>The service does not let us.</summary>
    Refused,
}
