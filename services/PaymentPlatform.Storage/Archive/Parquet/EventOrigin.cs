namespace PaymentPlatform.Storage.Archive;

/// <summary>How an event came into the stream.</summary>
public enum EventOrigin : byte
{
    /// <summary>From a producer.</summary>
    Live,

    /// <summary>A dead letter that was sent again.</summary>
    Resubmission,

    /// <summary>Archived events that were sent again.</summary>
    Replay,
}
