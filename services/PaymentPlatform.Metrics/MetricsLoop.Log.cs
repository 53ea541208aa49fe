using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics;

internal sealed partial class MetricsLoop
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Metrics reads partition {Partition} from offset {Offset}")]
    private static partial void LogAssigned(ILogger logger, StreamPartition partition, long offset);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The rules' state of partition {Partition} could not be read, it is tried again in {Seconds:F1} s: {Fault}")]
    private static partial void LogNotRestored(ILogger logger, StreamPartition partition, string fault, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Partition {Partition} stands still, the others go on; it is tried again in {Seconds:F1} s. {Fault}")]
    private static partial void LogRefused(ILogger logger, StreamPartition partition, string fault, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Metrics lost partition {Partition}; what was gathered from it is dropped")]
    private static partial void LogLost(ILogger logger, StreamPartition partition);

    [LoggerMessage(Level = LogLevel.Information, Message = "Metrics gave partition {Partition} up")]
    private static partial void LogReleased(ILogger logger, StreamPartition partition);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Commit of {Events} events, {Failed} of them dead letters, {Keys} keys: {Milliseconds} ms")]
    private static partial void LogCommit(ILogger logger, long events, int failed, int keys, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Another owner has moved on in {Partitions}: the batch is dropped, all partitions are read again from their checkpoints")]
    private static partial void LogStale(ILogger logger, string partitions);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Commit failed: {Fault}. Reading again from the checkpoints in {Seconds:F1} s")]
    private static partial void LogCommitFailed(ILogger logger, string fault, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Commit failed unexpectedly. Reading again from the checkpoints in {Seconds:F1} s")]
    private static partial void LogCommitBroken(ILogger logger, Exception exception, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Partition {Partition} goes on at {Actual} instead of {Expected}: reading again from the checkpoints")]
    private static partial void LogOutOfOrder(ILogger logger, StreamPartition partition, long expected, long actual);
}
