namespace PaymentPlatform.BlobArchiver;

/// <summary>The stages of writing a file, in order.</summary>
internal enum WriteStage
{
    Serialize,
    Verify,

    /// <summary>The pending row.</summary>
    Announce,
    Upload,

    /// <summary>The one transaction.</summary>
    Commit,
}
