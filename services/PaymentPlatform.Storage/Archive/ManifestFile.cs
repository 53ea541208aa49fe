using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Storage.Archive;

/// <summary>A live file as far as it is needed to check that its blob is there and to write it again.</summary>
/// <param name="Ranges">The live ranges, in key order.</param>
public sealed record ManifestFile(Guid FileId, string BlobName, long RowCount, long ByteSize, IReadOnlyList<OffsetRange> Ranges);
