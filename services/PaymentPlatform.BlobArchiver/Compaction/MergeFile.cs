using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.BlobArchiver.Compaction;

/// <summary>A file of the manifest whose events may go into a merged one.</summary>
/// <param name="IsSmall">Whether it is to be merged; the others only say where a merged file must end.</param>
internal sealed record MergeFile(Guid FileId, string BlobName, long Rows, long Bytes, byte[] Sha256, bool IsSmall, IReadOnlyList<OffsetRange> Ranges);
