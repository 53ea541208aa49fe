namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>What a caller may do. One role does not bring another, but <see cref="Operate"/> brings <see cref="Read"/>: nobody operates blind.</summary>
public enum AccessRole
{
    /// <summary>Send events.</summary>
    Ingest,

    /// <summary>Ask questions: every GET, and posts that change nothing.</summary>
    Read,

    /// <summary>Resubmit, replay, rebuild, rehydrate, change rules.</summary>
    Operate,
}
