namespace PaymentPlatform.Query.Audit;

/// <summary>An archive file that holds an event, or held it before it was merged into another or lost.</summary>
/// <param name="State">live; superseded (its events are in <paramref name="SupersededBy"/>), deleting or deleted (its blob goes or is gone), lost (the store had lost or damaged it; its events were written again into <paramref name="SupersededBy"/>).</param>
/// <param name="Tier">hot, cool, cold or archive; a hint, the store knows.</param>
/// <param name="Sha256">Of the blob's bytes, lower case hex, as they were when it was written.</param>
/// <param name="ArchivedAt">When it became live.</param>
/// <param name="StateChangedAt">When it came into its state.</param>
public sealed record AuditFile(
    Guid FileId, string BlobName, string State, string Tier, string Sha256, long ByteSize, long RowCount, int SchemaVersion, DateTime ArchivedAt, DateTime StateChangedAt, Guid? SupersededBy);
