namespace PaymentPlatform.BlobArchiver;

/// <summary>Why a file is written now.</summary>
internal enum FlushReason
{
    Rows,
    Bytes,
    Age,

    /// <summary>The next event arrived in a newer hour.</summary>
    Hour,

    /// <summary>A partition goes to another owner, or the archiver stops.</summary>
    Revoked,
}
