using Npgsql;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.BlobArchiver;

/// <inheritdoc cref="IArchiveFlusher"/>
internal sealed partial class ArchiveFlusher(
    HybridConnectionManager connections, ArchiveFileWriter writer, PersistentRetry retry, ArchiverTelemetry telemetry, TimeProvider timeProvider, ILogger<ArchiveFlusher> logger) : IArchiveFlusher
{
    /// <summary>The archiver's consumer group.</summary>
    public const string ConsumerGroup = "archiver";

    public async Task<bool> FlushAsync(ArchiveBuffer buffer, IReadOnlyCollection<OffsetRange> ranges, FlushReason reason, CancellationToken cancellationToken)
    {
        // Holes only: nothing to keep, but the position moves, so that retention and lag don't wait for events that never come.
        if (buffer.Events.RowCount == 0)
            return await retry.RunAsync("move the checkpoints", token => AdvanceOnlyAsync(ranges, token), cancellationToken);

        using var span = telemetry.StartFlush(buffer, reason);
        var started = timeProvider.GetTimestamp();
        var file = await writer.WriteAsync(buffer.Events, ranges, (transaction, _, token) => TakeAsync(transaction, buffer, ranges, token), cancellationToken);
        if (file is null)
        {
            span?.SetStatus(System.Diagnostics.ActivityStatusCode.Error, "abandoned");
            return false;
        }

        var elapsed = timeProvider.GetElapsedTime(started);
        span?.SetTag("archive.blob", file.BlobName);
        telemetry.FileArchived(file, buffer.Events.PayloadBytes, reason, elapsed);
        LogArchived(logger, file.BlobName, file.RowCount, file.ByteSize, reason, elapsed);
        return true;
    }

    private async Task<bool> AdvanceOnlyAsync(IReadOnlyCollection<OffsetRange> ranges, CancellationToken cancellationToken)
    {
        await using var connection = await connections.Database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
        if (!await AdvanceAsync(transaction, ranges, cancellationToken))
            return false;
        await ArchiveManifest.AddHolesAsync(transaction, ranges, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private async Task<bool> TakeAsync(NpgsqlTransaction transaction, ArchiveBuffer buffer, IReadOnlyCollection<OffsetRange> ranges, CancellationToken cancellationToken)
    {
        if (!await AdvanceAsync(transaction, ranges, cancellationToken))
            return false;
        await buffer.Taken.WriteAsync(transaction, ConsumerGroup, cancellationToken);
        await ArchivedDuplicates.AddAsync(transaction, buffer.Duplicates, cancellationToken);
        return true;
    }

    private async Task<bool> AdvanceAsync(NpgsqlTransaction transaction, IReadOnlyCollection<OffsetRange> ranges, CancellationToken cancellationToken)
    {
        var stale = await CheckpointStore.AdvanceAsync(transaction, ConsumerGroup, ranges, cancellationToken);
        if (stale.Count > 0)
            LogStale(logger, string.Join(", ", stale));
        return stale.Count == 0;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Archived {Blob}: {Rows} events, {Bytes} bytes, because of {Reason}, in {Elapsed}")]
    private static partial void LogArchived(ILogger logger, string blob, long rows, long bytes, FlushReason reason, TimeSpan elapsed);

    [LoggerMessage(Level = LogLevel.Information, Message = "The checkpoints of {Partitions} do not stand where this archiver left them: another owner has moved on, or an earlier commit had succeeded.")]
    private static partial void LogStale(ILogger logger, string partitions);
}
