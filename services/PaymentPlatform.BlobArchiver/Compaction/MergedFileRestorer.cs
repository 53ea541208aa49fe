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
                if (await RestoreAsync(file, originals[file.FileId], cancellationToken))
                    restored++;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && !StoreFaults.IsDown(e))
            {
                LogFailed(logger, e, file.BlobName);
            }
        }

        return restored;
    }

    private async Task<bool> RestoreAsync(MergeFile file, List<MergeFile> originals, CancellationToken cancellationToken)
    {
        using var merge = await ArchiveMerge.OfAsync(originals, blobs, options.Value.CompactionMemory, cancellationToken);
        var made = await writer.WriteAsync(
            merge.Events,
            file.Ranges,
            async (transaction, madeId, token) =>
            {
                if (!await ArchiveManifest.MakeLostAsync(transaction, file.FileId, madeId, token))
                    return false;
                await CompactionManifest.MoveOriginalsAsync(transaction, file.FileId, madeId, token);
                return true;
            },
            cancellationToken,
            merge.CheckAsync);
        if (made is null)
            return false;
        telemetry.FileRestored();
        LogRestored(logger, file.BlobName, made.BlobName, made.RowCount);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store has lost the merged file {Lost}; wrote it again from its originals as {Blob}: {Rows} events")]
    private static partial void LogRestored(ILogger logger, string lost, string blob, long rows);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not write the lost merged file {Blob} again from its originals")]
    private static partial void LogFailed(ILogger logger, Exception e, string blob);
}
