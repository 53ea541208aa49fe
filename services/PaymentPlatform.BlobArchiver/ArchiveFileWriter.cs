using System.Diagnostics;
using Npgsql;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.BlobArchiver;

/// <summary>
/// Writes one Parquet file so that it is live together with its effects, or not at all: pending row, blob under a new name, one transaction. Tries for as long as a store is away;
/// an attempt whose outcome is unknown is simply made again, since the row's state and the effects' own compare-and-swap tell whether it had succeeded.
/// </summary>
internal sealed partial class ArchiveFileWriter(
    HybridConnectionManager connections, ArchiveBlobs blobs, PersistentRetry retry, WriteProbe probe, ArchiverTelemetry telemetry, TimeProvider timeProvider, ILogger<ArchiveFileWriter> logger)
{
    private static readonly string Owner = $"{Environment.MachineName}/{Environment.ProcessId}";

    /// <param name="buffer">Not empty, and untouched until the task ends.</param>
    /// <param name="effects">What has to happen with the file (its id is given), in its transaction; false when another has been quicker. May run several times.</param>
    /// <param name="check">Looks at the finished file before it is announced; throws where it must not be stored.</param>
    /// <returns>The live file, or null when it was abandoned: the effects or the pending row were lost to another.</returns>
    /// <exception cref="Exception">The buffer can't be made into a sound file, or the database refuses the file for good: trying again with the same bytes would not help. Nothing is live.</exception>
    public async Task<ManifestEntry?> WriteAsync(
        RawEventBuffer buffer,
        IReadOnlyCollection<OffsetRange> ranges,
        Func<NpgsqlTransaction, Guid, CancellationToken, Task<bool>> effects,
        CancellationToken cancellationToken,
        Func<ParquetFile, CancellationToken, Task>? check = null)
    {
        var archivedAt = (timeProvider.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        using var file = await TimedAsync(WriteStage.Serialize, Guid.Empty, _ => Task.Run(() => ParquetSerializer.Serialize(buffer, archivedAt), CancellationToken.None), cancellationToken);
        await TimedAsync(WriteStage.Verify, Guid.Empty, async token =>
        {
            await ParquetSerializer.VerifyAsync(file, token);
            if (check is not null)
                await check(file, token);
            return true;
        }, cancellationToken);

        while (true)
        {
            var fileId = Guid.CreateVersion7(timeProvider.GetUtcNow());
            var name = ArchiveFileName.Create(fileId, buffer.MinEnqueuedAtMicros ?? archivedAt);
            var entry = ManifestEntry.Create(fileId, name, archivedAt, buffer, file);
            if (!await StageAsync(WriteStage.Announce, fileId, token => AnnounceAsync(fileId, name, token), cancellationToken))
            {
                await AbandonAsync(fileId, name, cancellationToken);
                return null;
            }

            switch (await StageAsync(WriteStage.Upload, fileId, token => UploadAsync(fileId, name, file, token), cancellationToken))
            {
                case UploadOutcome.RowLost:
                    await AbandonAsync(fileId, name, cancellationToken);
                    return null;
                case UploadOutcome.NameTaken:
                    LogNameTaken(logger, name);
                    await retry.RunAsync("give a name up", token => GiveNameUpAsync(fileId, token), cancellationToken);
                    continue;
            }

            try
            {
                if (await StageAsync(WriteStage.Commit, fileId, token => CommitAsync(entry, ranges, effects, token), cancellationToken))
                    return entry;
            }
            catch (Exception e) when (Faults.IsRefusal(e))
            {
                if (await AbandonAsync(fileId, name, cancellationToken))
                    return entry;
                throw;
            }

            return await AbandonAsync(fileId, name, cancellationToken) ? entry : null;
        }
    }

    private async Task<bool> AnnounceAsync(Guid fileId, string name, CancellationToken cancellationToken)
    {
        await using var connection = await connections.Database.OpenConnectionAsync(cancellationToken);
        return await ArchiveManifest.InsertPendingAsync(connection, fileId, name, Owner, cancellationToken);
    }

    /// <summary>Each attempt first says that it is still alive, so that the sweeper leaves the row alone while the store is away.</summary>
    private async Task<UploadOutcome> UploadAsync(Guid fileId, string name, ParquetFile file, CancellationToken cancellationToken)
    {
        if (!await AnnounceAsync(fileId, name, cancellationToken))
            return UploadOutcome.RowLost;
        await using var content = file.OpenRead();
        return await blobs.CreateAsync(name, content, file.Sha256, cancellationToken) ? UploadOutcome.Written : UploadOutcome.NameTaken;
    }

    private async Task<bool> CommitAsync(
        ManifestEntry entry, IReadOnlyCollection<OffsetRange> ranges, Func<NpgsqlTransaction, Guid, CancellationToken, Task<bool>> effects, CancellationToken cancellationToken)
    {
        await using var connection = await connections.Database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
        if (!await effects(transaction, entry.FileId, cancellationToken) || !await ArchiveManifest.MakeLiveAsync(transaction, entry, ranges, cancellationToken))
        {
            await transaction.RollbackAsync(cancellationToken);
            return false;
        }

        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>The blob under the name is not ours to delete: the row must not become abandoned, not even for a moment, or the sweeper would.</summary>
    private async Task GiveNameUpAsync(Guid fileId, CancellationToken cancellationToken)
    {
        await using var connection = await connections.Database.OpenConnectionAsync(cancellationToken);
        if (!await ArchiveManifest.MoveAsync(connection, fileId, ManifestState.Pending, ManifestState.Deleted, cancellationToken))
            await ArchiveManifest.MoveAsync(connection, fileId, ManifestState.Abandoned, ManifestState.Deleted, cancellationToken);
    }

    /// <summary>Gives the file up for good, and its blob.</summary>
    /// <returns>True when it turns out to be live: an earlier commit had succeeded, only its answer was lost.</returns>
    private async Task<bool> AbandonAsync(Guid fileId, string name, CancellationToken cancellationToken)
    {
        var live = await retry.RunAsync("abandon a file", async token =>
        {
            await using var connection = await connections.Database.OpenConnectionAsync(token);
            return !await ArchiveManifest.MoveAsync(connection, fileId, ManifestState.Pending, ManifestState.Abandoned, token)
                && await ArchiveManifest.WasLiveAsync(connection, fileId, token);
        }, cancellationToken);
        if (live)
            return true;

        LogAbandoned(logger, name);
        telemetry.FileAbandoned();
        try
        {
            // The row stays abandoned, and the sweeper looks after it: an attempt to upload that was cut off may still arrive.
            await blobs.DeleteIfExistsAsync(name, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogLeftToSweeper(logger, name, Faults.Describe(e));
        }

        return false;
    }

    /// <summary>A stage that depends on a store: again until it succeeds.</summary>
    private Task<T> StageAsync<T>(WriteStage stage, Guid fileId, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        TimedAsync(stage, fileId, token => retry.RunAsync(Describe(stage), work, token), cancellationToken);

    private async Task<T> TimedAsync<T>(WriteStage stage, Guid fileId, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        await probe.ReachedAsync(stage, fileId, cancellationToken);
        var started = timeProvider.GetTimestamp();
        var result = await work(cancellationToken);
        var elapsed = timeProvider.GetElapsedTime(started);
        telemetry.StageEnded(stage, elapsed);
        Activity.Current?.AddEvent(new(stage.ToString().ToLowerInvariant(), timeProvider.GetUtcNow(), new() { { "duration_ms", elapsed.TotalMilliseconds } }));
        return result;
    }

    private static string Describe(WriteStage stage) => stage switch
    {
        WriteStage.Announce => "announce a file in the manifest",
        WriteStage.Upload => "upload a file",
        _ => "commit a file",
    };

    private enum UploadOutcome
    {
        Written,
        NameTaken,
        RowLost,
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The file {Blob} was abandoned: another owner has moved on, it was swept as stale, or the database refused it. Its events are read again by whoever owns them.")]
    private static partial void LogAbandoned(ILogger logger, string blob);

    [LoggerMessage(Level = LogLevel.Warning, Message = "There is another blob named {Blob}; writing the file under another name.")]
    private static partial void LogNameTaken(ILogger logger, string blob);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The abandoned blob {Blob} could not be deleted: {Fault}. The sweeper tries again.")]
    private static partial void LogLeftToSweeper(ILogger logger, string blob, string fault);
}
