namespace PaymentPlatform.Faults.Model;

/// <summary>What the platform said of an event.</summary>
internal enum EventFate
{
    NotSent,

    /// <summary>Sent, and no answer came: it is in the stream once, or not at all.</summary>
    Unknown,

    /// <summary>The stream has it, says the answer.</summary>
    Accepted,

    /// <summary>Refused at the door: nobody may ever see it again.</summary>
    Rejected,
}
