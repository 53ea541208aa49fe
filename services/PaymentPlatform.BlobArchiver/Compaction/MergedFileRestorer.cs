using Microsoft.Extensions.Options;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.BlobArchiver.Compaction;

/// <summary>
/// Writes merged files that the store has lost again, from their originals while those are kept: by then the stream no longer has their events.
/// The lost file and the new one change places in one transaction.
/// </summary>
internal sealed partial class MergedFileRestorer(
    HybridConnectionManager connections, ArchiveBlobs blobs, ArchiveFileWriter writer, IOptions<ArchiverOptions> options, ArchiverTelemetry telemetry, ILogger<MergedFileRestorer> logger)
{
    /// <returns>How many files were written again; null when another process is at it.</returns>
    public async Task<int?> RestoreAsync(CancellationToken cancellationToken)
    {
        await using var guard = await AdvisoryLock.TryTakeAsync(connections.Database, AdvisoryLock.Restorer, cancellationToken);
        if (guard is null)
            return null;

        Dictionary<Guid, List<MergeFile>> originals;
        List<MergeFile> merged;
        await using (var connection = await connections.Database.OpenConnectionAsync(cancellationToken))
        {
            originals = await CompactionManifest.ListOriginalsAsync(connection, cancellationToken);
            merged = originals.Count == 0 ? [] : await CompactionManifest.ListLiveAsync(connection, [.. originals.Keys], cancellationToken);
        }

        var restored = 0;
        foreach (var file in merged)
        {
            if (await blobs.FindLengthAsync(file.BlobName, cancellationToken) == file.Bytes)
                continue;
            try
            {
                if (await RestoreAsync(file, originals[file.FileId], cancellationToken) is not null)
                    restored++;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && !Faults.IsStoreDown(e))
            {
                LogFailed(logger, e, file.BlobName);
            }
        }

        return restored;
    }

    /// <summary>Writes one file again, by whoever holds <see cref="AdvisoryLock.Restorer"/>.</summary>
    /// <returns>Null when it is not live any more.</returns>
    /// <exception cref="OriginalUnreadableException">One of the originals can't be read.</exception>
    public async Task<ManifestEntry?> RestoreAsync(MergeFile file, IReadOnlyList<MergeFile> originals, CancellationToken cancellationToken)
    {
        using var merge = await ArchiveMerge.OfAsync(originals, blobs, options.Value.CompactionMemory, cancellationToken);
        var made = await writer.WriteAsync(
            merge.Events,
            file.Ranges,
            (transaction, madeId, token) => CompactionManifest.MakeLostAsync(transaction, file.FileId, madeId, token),
            cancellationToken,
            merge.CheckAsync);
        if (made is null)
            return null;
        telemetry.FileRestored();
        LogRestored(logger, file.BlobName, made.BlobName, made.RowCount);
        return made;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store has lost or damaged the merged file {Lost}; wrote it again from its originals as {Blob}: {Rows} events")]
    private static partial void LogRestored(ILogger logger, string lost, string blob, long rows);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not write the lost merged file {Blob} again from its originals")]
    private static partial void LogFailed(ILogger logger, Exception e, string blob);
}
