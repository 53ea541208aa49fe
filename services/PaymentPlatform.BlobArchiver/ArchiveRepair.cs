using PaymentPlatform.BlobArchiver.Compaction;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.BlobArchiver;

/// <inheritdoc cref="IArchiveRepair"/>
internal sealed partial class ArchiveRepair(
    HybridConnectionManager connections, LostFileRestorer restorer, MergedFileRestorer mergedRestorer, TimeProvider timeProvider, ILogger<ArchiveRepair> logger) : IArchiveRepair
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public async Task<IReadOnlyList<RepairedFile>> RepairAsync(IReadOnlyCollection<Guid> fileIds, CancellationToken cancellationToken)
    {
        await using var guard = await WaitForTurnAsync(cancellationToken);
        IReadOnlyList<ManifestFile> files;
        Dictionary<Guid, List<MergeFile>> originals;
        List<MergeFile> merged;
        await using (var connection = await connections.Database.OpenConnectionAsync(cancellationToken))
        {
            files = await ArchiveManifest.ListLiveAsync(connection, fileIds, cancellationToken);
            originals = await CompactionManifest.ListOriginalsAsync(connection, cancellationToken);
            merged = await CompactionManifest.ListLiveAsync(connection, [.. fileIds.Where(originals.ContainsKey)], cancellationToken);
        }

        var repaired = new List<RepairedFile>(files.Count);
        foreach (var file in files)
        {
            try
            {
                repaired.Add(await RepairAsync(file, merged.Find(m => m.FileId == file.FileId), originals.GetValueOrDefault(file.FileId), cancellationToken));
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && !Faults.IsStoreDown(e))
            {
                // One file's fault is not the others'.
                LogFailed(logger, e, file.BlobName);
                repaired.Add(new(file.BlobName, null, Faults.Describe(e)));
            }
        }

        return repaired;
    }

    /// <summary>From its originals a merged file comes back as it was, sorted; from the stream with the same events.</summary>
    private async Task<RepairedFile> RepairAsync(ManifestFile file, MergeFile? merged, List<MergeFile>? originals, CancellationToken cancellationToken)
    {
        if (merged is not null && originals is not null)
        {
            try
            {
                if (await mergedRestorer.RestoreAsync(merged, originals, cancellationToken) is { } made)
                    return new(file.BlobName, made.BlobName, null);
            }
            catch (OriginalUnreadableException e)
            {
                LogOriginals(logger, file.BlobName, e.Message);
            }
        }

        return await restorer.RestoreAsync(file, cancellationToken);
    }

    /// <summary>A running archiver may be at it; it does not take long.</summary>
    private async Task<AdvisoryLock> WaitForTurnAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await AdvisoryLock.TryTakeAsync(connections.Database, AdvisoryLock.Restorer, cancellationToken) is { } guard)
                return guard;
            await Task.Delay(Pause, timeProvider, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not write the file {Blob} again")]
    private static partial void LogFailed(ILogger logger, Exception e, string blob);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The merged file {Blob} can't be written again from its originals: {Fault} Trying the stream.")]
    private static partial void LogOriginals(ILogger logger, string blob, string fault);
}
