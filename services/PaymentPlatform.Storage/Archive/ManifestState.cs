namespace PaymentPlatform.Storage.Archive;

/// <summary>The states of a manifest row. Each change is a conditional UPDATE: whoever finds another state than expected has lost the row.</summary>
public static class ManifestState
{
    /// <summary>Announced; the blob may or may not be there.</summary>
    public const string Pending = "pending";

    /// <summary>The file exists for readers.</summary>
    public const string Live = "live";

    /// <summary>Will never be live; its blob is to be deleted.</summary>
    public const string Abandoned = "abandoned";

    /// <summary>Replaced by a rewritten file; its blob outlives the longest reader.</summary>
    public const string Superseded = "superseded";

    /// <summary>The store lost the blob, or damaged it; its events were written again to another file. A damaged blob stays as evidence: nothing deletes it.</summary>
    public const string Lost = "lost";

    /// <summary>The blob is to be deleted on purpose.</summary>
    public const string Deleting = "deleting";

    /// <summary>The blob is deleted.</summary>
    public const string Deleted = "deleted";
}
