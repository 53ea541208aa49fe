using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>A live file of the archive that may hold events of the range.</summary>
internal sealed record RebuildFile(Guid Id, string BlobName, byte[] Sha256, long Rows, IReadOnlyList<OffsetRange> Ranges);
