using Microsoft.Extensions.Options;
using PaymentPlatform.BlobArchiver.Compaction;
using PaymentPlatform.Events;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.BlobArchiver;

/// <summary>
/// Writes live files again from the stream: recent ones that the store has lost (Azurite saves its metadata only every few seconds, and a crash takes the newest blobs), and those that reconciliation found missing or damaged.
/// The old row becomes lost and the new one live in one transaction, with the same ranges: readers see each event once throughout. A damaged blob is not touched.
/// </summary>
internal sealed partial class LostFileRestorer(
    HybridConnectionManager connections,
    ArchiveBlobs blobs,
    ArchiveFileWriter writer,
    IOptions<ArchiverOptions> options,
    IConfiguration configuration,
    ArchiverTelemetry telemetry,
    ILogger<LostFileRestorer> logger,
    StreamRangeReader? stream = null)
{
    private readonly CardDataMode _cardData = StreamCardData.Read(configuration);

    /// <returns>How many files were written again; null when another process is at it.</returns>
    public async Task<int?> RestoreAsync(CancellationToken cancellationToken)
    {
        if (options.Value.RestoreWindow == TimeSpan.Zero)
            return 0;
        await using var guard = await AdvisoryLock.TryTakeAsync(connections.Database, AdvisoryLock.Restorer, cancellationToken);
        if (guard is null)
            return null;

        var restored = 0;
        foreach (var file in await FindLostAsync(cancellationToken))
        {
            try
            {
                if ((await RestoreAsync(file, cancellationToken)).NewBlobName is not null)
                    restored++;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && !Faults.IsStoreDown(e))
            {
                // One file's fault is not the others'.
                LogFailed(logger, e, file.BlobName, file.RowCount);
            }
        }

        return restored;
    }

    private async Task<List<ManifestFile>> FindLostAsync(CancellationToken cancellationToken)
    {
        // The manifest first: a file that becomes live in between is not among those that are looked for.
        IReadOnlyList<ManifestFile> recent;
        await using (var connection = await connections.Database.OpenConnectionAsync(cancellationToken))
            recent = await ArchiveManifest.ListRecentLiveAsync(connection, options.Value.RestoreWindow, cancellationToken);

        var lost = new List<ManifestFile>();
        foreach (var folder in recent.GroupBy(f => ArchiveFileName.Folder(f.BlobName)))
        {
            var there = await blobs.ListAsync(folder.Key, cancellationToken);
            lost.AddRange(folder.Where(f => !there.TryGetValue(f.BlobName, out var size) || size != f.ByteSize));
        }

        return lost;
    }

    /// <summary>Writes one file again, by whoever holds <see cref="AdvisoryLock.Restorer"/>.</summary>
    public async Task<RepairedFile> RestoreAsync(ManifestFile file, CancellationToken cancellationToken)
    {
        LogMissing(logger, file.BlobName, file.RowCount);
        if (stream is null)
            return Unrestorable(file, "this transport can't read old events again");

        using var buffer = new RawEventBuffer();
        try
        {
            var appender = new EventAppender(_cardData, logger);
            foreach (var range in file.Ranges)
            {
                var duplicates = await ArchivedDuplicates.ReadAsync(connections.Database, range, cancellationToken);
                await foreach (var batch in stream.ReadAsync(range, cancellationToken))
                {
                    using (batch)
                        Append(buffer, appender, batch, range, duplicates);
                }
            }
        }
        catch (Exception e) when (e is StreamRangeGoneException or InvalidDataException)
        {
            return Unrestorable(file, e is InvalidDataException ? $"the stream's record batch is damaged: {e.Message}" : e.Message);
        }

        if (buffer.RowCount != file.RowCount)
            return Unrestorable(file, $"the stream holds {buffer.RowCount} events of its ranges, the file held {file.RowCount}");

        var made = await writer.WriteAsync(buffer, file.Ranges, (transaction, madeId, token) => CompactionManifest.MakeLostAsync(transaction, file.FileId, madeId, token), cancellationToken);
        if (made is null)
            return new(file.BlobName, null, "it is not live any more, or another process has written it again");
        telemetry.FileRestored();
        LogRestored(logger, file.BlobName, made.BlobName, made.RowCount);
        return new(file.BlobName, made.BlobName, null);
    }

    private static void Append(RawEventBuffer buffer, EventAppender appender, MessageBatch batch, OffsetRange range, HashSet<long> duplicates)
    {
        foreach (ref readonly var message in batch.Messages)
        {
            if (message.Offset >= range.From && message.Offset < range.To)
                appender.Append(buffer, batch.Partition, message, duplicates.Contains(message.Offset));
        }
    }

    private RepairedFile Unrestorable(ManifestFile file, string why)
    {
        telemetry.FileUnrestorable();
        LogUnrestorable(logger, file.BlobName, file.RowCount, why);
        return new(file.BlobName, null, why);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store has lost the live file {Blob} ({Rows} events), or holds other bytes under its name: writing it again from the stream")]
    private static partial void LogMissing(ILogger logger, string blob, long rows);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Wrote the lost file {Lost} again as {Blob}: {Rows} events")]
    private static partial void LogRestored(ILogger logger, string lost, string blob, long rows);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not write the lost file {Blob} ({Rows} events) again. It stays in the manifest; the next look tries again.")]
    private static partial void LogFailed(ILogger logger, Exception e, string blob, long rows);

    [LoggerMessage(Level = LogLevel.Error, Message = "The live file {Blob} ({Rows} events) is missing from the store or damaged, and can't be written again: {Why}. It stays in the manifest; restore the blob from a backup.")]
    private static partial void LogUnrestorable(ILogger logger, string blob, long rows, string why);
}
