namespace PaymentPlatform.Query;

/// <summary>An archive file that was live when the listing was begun. The times are null where none of its events has one.</summary>
/// <param name="Sha256">Lower case hex of the blob's bytes.</param>
/// <param name="Tier">hot, cool, cold or archive; a hint, the store knows.</param>
public sealed record ArchiveFileItem(
    Guid FileId,
    string BlobName,
    long RowCount,
    long? ValidCount,
    long ByteSize,
    string Sha256,
    DateTime? MinTransactionTimestamp,
    DateTime? MaxTransactionTimestamp,
    DateTime? MinEnqueuedAt,
    DateTime? MaxEnqueuedAt,
    DateTime ArchivedAt,
    int SchemaVersion,
    string Tier,
    IReadOnlyList<ArchiveRangeItem> Ranges);
