using Azure;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.BlobArchiver.Lifecycle;

/// <summary>Moves files to cooler tiers by age, never to a warmer one. The store's tier is the truth: what a policy or a person has moved is only noted.</summary>
internal sealed partial class ArchiveTiering(HybridConnectionManager connections, ArchiveBlobs blobs, IOptions<ArchiverOptions> options, ILogger<ArchiveTiering> logger)
{
    private const int PageSize = 100;
    private static readonly string[] Tiers = ["hot", "cool", "cold", "archive"];

    /// <returns>How many files were moved; null when another process is at it.</returns>
    public async Task<int?> MoveAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.Tiering)
            return 0;
        await using var guard = await AdvisoryLock.TryTakeAsync(connections.Database, AdvisoryLock.Lifecycle, cancellationToken);
        if (guard is null)
            return null;

        await using var connection = await connections.Database.OpenConnectionAsync(cancellationToken);
        var (moved, after) = (0, Guid.Empty);
        while (await LifecycleManifest.ListTooWarmAsync(connection, options.Value, after, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var (fileId, name, wanted) in page)
            {
                after = fileId;
                if (await TryAsync(name, () => MoveAsync(connection, fileId, name, wanted, cancellationToken)))
                    moved++;
            }
        }

        return moved;
    }

    /// <summary>Takes files out of the archive tier that somebody asked for, and notes those that can be read again. The store takes hours for it.</summary>
    /// <returns>How many were begun; null when another process is at it.</returns>
    public async Task<int?> RehydrateAsync(CancellationToken cancellationToken)
    {
        await using var guard = await AdvisoryLock.TryTakeAsync(connections.Database, AdvisoryLock.Lifecycle, cancellationToken);
        if (guard is null)
            return null;

        await using var connection = await connections.Database.OpenConnectionAsync(cancellationToken);
        var begun = 0;
        foreach (var (fileId, name) in await LifecycleManifest.ListAskedForAsync(connection, options.Value.RehydratedFor, cancellationToken))
        {
            if (await TryAsync(name, () => RehydrateAsync(connection, fileId, name, cancellationToken)))
                begun++;
        }

        return begun;
    }

    private async Task<bool> MoveAsync(NpgsqlConnection connection, Guid fileId, string name, string wanted, CancellationToken cancellationToken)
    {
        if (await blobs.FindTierAsync(name, cancellationToken) is not var (found, isRehydrating))
        {
            LogMissing(logger, name);
            return false;
        }

        var isWarmer = !isRehydrating && Array.IndexOf(Tiers, found) < Array.IndexOf(Tiers, wanted);
        if (isWarmer)
        {
            await blobs.SetTierAsync(name, wanted, cancellationToken);
            LogMoved(logger, name, found, wanted);
        }

        await LifecycleManifest.NoteTierAsync(connection, fileId, isWarmer ? wanted : found, cancellationToken);
        return isWarmer;
    }

    private async Task<bool> RehydrateAsync(NpgsqlConnection connection, Guid fileId, string name, CancellationToken cancellationToken)
    {
        if (await blobs.FindTierAsync(name, cancellationToken) is not var (found, isRehydrating) || isRehydrating)
            return false;
        if (found != "archive")
        {
            await LifecycleManifest.NoteReadableAsync(connection, fileId, found, cancellationToken);
            return false;
        }

        await blobs.SetTierAsync(name, "hot", cancellationToken);
        LogRehydrating(logger, name);
        return true;
    }

    /// <summary>One file's fault is not the others'.</summary>
    private async Task<bool> TryAsync(string name, Func<Task<bool>> change)
    {
        try
        {
            return await change();
        }
        catch (RequestFailedException e) when (!Faults.IsStoreDown(e))
        {
            LogRefused(logger, name, Faults.Describe(e));
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not look at or change the tier of {Blob}, it is tried again: {Fault}")]
    private static partial void LogRefused(ILogger logger, string blob, string fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "Rehydrating {Blob}: the store takes hours for it")]
    private static partial void LogRehydrating(ILogger logger, string blob);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Moved {Blob} from {From} to {To}")]
    private static partial void LogMoved(ILogger logger, string blob, string from, string to);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store does not have the live file {Blob}: it can't be moved to another tier")]
    private static partial void LogMissing(ILogger logger, string blob);
}
