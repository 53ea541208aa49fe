namespace PaymentPlatform.BlobArchiver.Compaction;

/// <summary>A file can't be merged: its blob is missing, damaged or archived. The message says which.</summary>
internal sealed class OriginalUnreadableException(MergeFile file, string message, Exception? inner = null) : Exception(message, inner)
{
    public MergeFile File { get; } = file;
}
