using Microsoft.Extensions.Options;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.BlobArchiver.Compaction;

/// <summary>
/// Merges the small files of closed hours into large ones. A merged file becomes live and its originals superseded in one transaction: readers see each event once throughout,
/// and those that began before find the originals' blobs for <see cref="ArchiverOptions.SupersededRetention"/>.
/// </summary>
internal sealed partial class ArchiveCompactor(
    HybridConnectionManager connections,
    ArchiveBlobs blobs,
    ArchiveFileWriter writer,
    IOptions<ArchiverOptions> options,
    ArchiverTelemetry telemetry,
    TimeProvider timeProvider,
    ILogger<ArchiveCompactor> logger)
{
    /// <summary>Folders in which nothing is left to do until one of their files changes.</summary>
    private readonly Dictionary<string, long> _settled = [];

    /// <returns>How many files were merged away; null when another process is at it.</returns>
    public async Task<int?> CompactAsync(CancellationToken cancellationToken)
    {
        await using var guard = await AdvisoryLock.TryTakeAsync(connections.Database, AdvisoryLock.Compactor, cancellationToken);
        if (guard is null)
            return null;

        WorkFolders.OfMachine.Sweep(timeProvider.GetUtcNow());
        List<(string Folder, long Generation)> hours;
        await using (var connection = await connections.Database.OpenConnectionAsync(cancellationToken))
            hours = await CompactionManifest.ListHoursAsync(connection, options.Value, cancellationToken);
        var merged = 0;
        foreach (var (folder, generation) in hours)
        {
            if (_settled.TryGetValue(folder, out var settled) && settled == generation)
                continue;
            try
            {
                merged += await CompactAsync(folder, cancellationToken);
                _settled[folder] = generation;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && !Faults.IsStoreDown(e))
            {
                // One hour's fault is not the others'.
                LogFailed(logger, e, folder);
            }
        }

        return merged;
    }

    private async Task<int> CompactAsync(string folder, CancellationToken cancellationToken)
    {
        List<MergeFile> files;
        await using (var connection = await connections.Database.OpenConnectionAsync(cancellationToken))
            files = await CompactionManifest.ListFilesAsync(connection, folder, options.Value, cancellationToken);
        var batches = new Queue<List<MergeFile>>(CompactionPlan.Of(files, options.Value.CompactionBytes, options.Value.CompactionRows));
        var merged = 0;
        while (batches.TryDequeue(out var batch))
        {
            try
            {
                if (await MergeAsync(batch, cancellationToken))
                    merged += batch.Count;
            }
            catch (OriginalUnreadableException e)
            {
                LogLeftOut(logger, e.File.BlobName, e.Message);
                var at = batch.IndexOf(e.File);
                foreach (var rest in new[] { batch[..at], batch[(at + 1)..] }.Where(rest => rest.Count > 1))
                    batches.Enqueue(rest);
            }
        }

        return merged;
    }

    private async Task<bool> MergeAsync(List<MergeFile> batch, CancellationToken cancellationToken)
    {
        var started = timeProvider.GetTimestamp();
        using var merge = await ArchiveMerge.OfAsync(batch, blobs, options.Value.CompactionMemory, cancellationToken);
        var originals = batch.ConvertAll(f => f.FileId);
        var made = await writer.WriteAsync(
            merge.Events,
            CompactionPlan.Ranges(batch),
            (transaction, madeId, token) => CompactionManifest.SupersedeAsync(transaction, originals, madeId, token),
            cancellationToken,
            merge.CheckAsync);
        if (made is null)
            return false;
        telemetry.FilesCompacted(batch.Count);
        LogMerged(logger, batch.Count, made.BlobName, made.RowCount, made.ByteSize, timeProvider.GetElapsedTime(started));
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Merged {Files} files into {Blob}: {Rows} events, {Bytes} bytes, in {Elapsed}")]
    private static partial void LogMerged(ILogger logger, int files, string blob, long rows, long bytes, TimeSpan elapsed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The file {Blob} is left out of compaction: {Why}")]
    private static partial void LogLeftOut(ILogger logger, string blob, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not merge files of {Folder}. They stay as they are; the next look tries again.")]
    private static partial void LogFailed(ILogger logger, Exception e, string folder);
}
