using Azure;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.BlobArchiver.Compaction;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.BlobArchiver;

/// <summary>
/// Clears away files that never became live. A stale pending row is abandoned in a committed transaction before its blob is deleted: a writer that wakes up late finds its row gone and rolls back.
/// It may upload before it does, and die: blobs of abandoned rows are deleted again and again until no upload can be under way any more.
/// And deletes what is to be deleted: the originals of merged files once nobody reads them any more.
/// </summary>
internal sealed partial class ArchiveSweeper(HybridConnectionManager connections, ArchiveBlobs blobs, IOptions<ArchiverOptions> options, ILogger<ArchiveSweeper> logger)
{
    private const int PageSize = 100;

    /// <returns>How many files are done with: their blobs are gone for good; null when another process is sweeping.</returns>
    public async Task<int?> SweepAsync(CancellationToken cancellationToken)
    {
        await using var guard = await AdvisoryLock.TryTakeAsync(connections.Database, AdvisoryLock.Sweeper, cancellationToken);
        if (guard is null)
            return null;

        await using var connection = await connections.Database.OpenConnectionAsync(cancellationToken);
        var stale = await ArchiveManifest.AbandonStaleAsync(connection, options.Value.PendingTimeout, cancellationToken);
        if (stale > 0)
            LogStale(logger, stale, options.Value.PendingTimeout);

        await GiveUpOriginalsAsync(connection, cancellationToken);
        var deleted = await DeleteAsync(connection, cancellationToken);
        var after = Guid.Empty;
        while (await ArchiveManifest.ListAbandonedAsync(connection, options.Value.PendingTimeout, after, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var (fileId, name, isSettled) in page)
            {
                after = fileId;
                if (await TryDeleteAsync(name, cancellationToken) && isSettled && await ArchiveManifest.MoveAsync(connection, fileId, ManifestState.Abandoned, ManifestState.Deleted, cancellationToken))
                {
                    deleted++;
                    LogDeleted(logger, name);
                }
            }
        }

        return deleted;
    }

    private async Task GiveUpOriginalsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var after = Guid.Empty;
        var there = new Dictionary<string, bool>();
        while (await CompactionManifest.ListOutlivedAsync(connection, options.Value.SupersededRetention, after, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var (fileId, name, mergedName, mergedBytes) in page)
            {
                after = fileId;
                // Until the merged file is seen to be there, the original is the only copy.
                if (mergedName is not null && !there.ContainsKey(mergedName))
                    there[mergedName] = await IsThereAsync(mergedName, mergedBytes, cancellationToken);
                if (mergedName is null || there[mergedName])
                    await ArchiveManifest.MoveAsync(connection, fileId, ManifestState.Superseded, ManifestState.Deleting, cancellationToken);
                else
                    LogKept(logger, name, mergedName);
            }
        }
    }

    private async Task<int> DeleteAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var (deleted, after) = (0, Guid.Empty);
        while (await CompactionManifest.ListDeletingAsync(connection, after, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var (fileId, name) in page)
            {
                after = fileId;
                if (!await TryDeleteAsync(name, cancellationToken) || !await ArchiveManifest.MoveAsync(connection, fileId, ManifestState.Deleting, ManifestState.Deleted, cancellationToken))
                    continue;
                deleted++;
                LogDeleted(logger, name);
            }
        }

        return deleted;
    }

    /// <summary>One file's fault is not the others'.</summary>
    private async Task<bool> TryDeleteAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await blobs.DeleteIfExistsAsync(name, cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (!Faults.IsStoreDown(e))
        {
            LogRefused(logger, name, Faults.Describe(e));
            return false;
        }
    }

    private async Task<bool> IsThereAsync(string name, long bytes, CancellationToken cancellationToken)
    {
        try
        {
            return await blobs.FindLengthAsync(name, cancellationToken) == bytes;
        }
        catch (RequestFailedException e) when (!Faults.IsStoreDown(e))
        {
            LogUnseen(logger, name, Faults.Describe(e));
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Abandoned {Count} files that had been pending for longer than {Timeout}")]
    private static partial void LogStale(ILogger logger, int count, TimeSpan timeout);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The superseded file {Blob} is kept: the store does not have {Merged}, which holds its events now")]
    private static partial void LogKept(ILogger logger, string blob, string merged);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not see whether the store has {Blob}: {Fault}")]
    private static partial void LogUnseen(ILogger logger, string blob, string fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not delete {Blob}, it is tried again: {Fault}")]
    private static partial void LogRefused(ILogger logger, string blob, string fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted the file {Blob}, which is abandoned, superseded or past its retention")]
    private static partial void LogDeleted(ILogger logger, string blob);
}
