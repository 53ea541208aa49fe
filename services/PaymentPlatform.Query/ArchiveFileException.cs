namespace PaymentPlatform.Query;

/// <summary>A file that the manifest calls live can't be read: nothing is answered rather than a part. The message names the file and what to do.</summary>
public sealed class ArchiveFileException(string blobName, string message, Exception? inner = null) : Exception(message, inner)
{
    public string BlobName { get; } = blobName;

    /// <summary>It is in the archive tier: whole, but not readable until it is rehydrated.</summary>
    public bool IsArchived { get; init; }
}
