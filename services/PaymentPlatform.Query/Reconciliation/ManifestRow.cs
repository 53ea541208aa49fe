namespace PaymentPlatform.Query.Reconciliation;

/// <summary>A row of the manifest, as far as its blob can be compared with it.</summary>
/// <param name="Sha256">Of a file that has been live.</param>
internal sealed record ManifestRow(Guid FileId, string BlobName, string State, long Bytes, byte[]? Sha256, DateTime? VerifiedAt, bool IsOfRange, bool IsStale);
