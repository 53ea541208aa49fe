namespace PaymentPlatform.Query.Reconciliation;

/// <summary>How a file's blob was found.</summary>
internal enum BlobState
{
    Sound,
    Damaged,

    /// <summary>In the archive tier: its bytes are out of reach.</summary>
    Archived,

    /// <summary>The file is not live any more.</summary>
    NotLive,
}
