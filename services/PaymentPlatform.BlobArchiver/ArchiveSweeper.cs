using Microsoft.Extensions.Options;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.BlobArchiver;

/// <summary>
/// Clears away files that never became live. A stale pending row is abandoned in a committed transaction before its blob is deleted: a writer that wakes up late finds its row gone and rolls back.
/// It may upload before it does, and die: blobs of abandoned rows are deleted again and again until no upload can be under way any more.
/// </summary>
internal sealed partial class ArchiveSweeper(HybridConnectionManager connections, ArchiveBlobs blobs, IOptions<ArchiverOptions> options, ILogger<ArchiveSweeper> logger)
{
    private const int PageSize = 100;

    /// <returns>How many files are done with: abandoned for so long that their blobs are gone for good; null when another process is sweeping.</returns>
    public async Task<int?> SweepAsync(CancellationToken cancellationToken)
    {
        await using var guard = await AdvisoryLock.TryTakeAsync(connections.Database, AdvisoryLock.Sweeper, cancellationToken);
        if (guard is null)
            return null;

        await using var connection = await connections.Database.OpenConnectionAsync(cancellationToken);
        var stale = await ArchiveManifest.AbandonStaleAsync(connection, options.Value.PendingTimeout, cancellationToken);
        if (stale > 0)
            LogStale(logger, stale, options.Value.PendingTimeout);

        var (deleted, after) = (0, Guid.Empty);
        while (await ArchiveManifest.ListAbandonedAsync(connection, options.Value.PendingTimeout, after, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var (fileId, name, isSettled) in page)
            {
                await blobs.DeleteIfExistsAsync(name, cancellationToken);
                if (isSettled && await ArchiveManifest.MoveAsync(connection, fileId, ManifestState.Abandoned, ManifestState.Deleted, cancellationToken))
                {
                    deleted++;
                    LogDeleted(logger, name);
                }

                after = fileId;
            }
        }

        return deleted;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Abandoned {Count} files that had been pending for longer than {Timeout}")]
    private static partial void LogStale(ILogger logger, int count, TimeSpan timeout);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted the abandoned file {Blob}")]
    private static partial void LogDeleted(ILogger logger, string blob);
}
