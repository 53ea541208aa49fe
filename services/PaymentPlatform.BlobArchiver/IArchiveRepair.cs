namespace PaymentPlatform.BlobArchiver;

/// <summary>Writes files of the archive again: from the stream, or a merged one from its originals while they are kept.</summary>
public interface IArchiveRepair
{
    /// <summary>Writes live files whose blobs are missing or damaged again, whatever their age; the caller has made sure that they are. Waits while the stores are away.</summary>
    /// <returns>One for each file that is live.</returns>
    Task<IReadOnlyList<RepairedFile>> RepairAsync(IReadOnlyCollection<Guid> fileIds, CancellationToken cancellationToken);
}
