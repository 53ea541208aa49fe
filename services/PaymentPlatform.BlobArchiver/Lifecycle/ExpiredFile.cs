namespace PaymentPlatform.BlobArchiver.Lifecycle;

/// <summary>A live file that is old enough to be deleted.</summary>
internal sealed record ExpiredFile(Guid FileId, string BlobName, long Rows, long Bytes, byte[] Sha256);
