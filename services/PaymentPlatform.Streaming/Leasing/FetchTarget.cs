using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Leasing;

/// <summary>Where a <see cref="LogReader"/> puts what it read, and what it found out.</summary>
internal sealed partial class FetchTarget(string group, ConsumerState state, PartitionLeases leases, StreamingTelemetry telemetry, ILogger logger)
{
    /// <summary>False once the partition was rewound, revoked or lost since the request was made.</summary>
    public bool IsWanted(FetchRequest request) => state.IsWanted(request);

    /// <summary>Takes the batch over.</summary>
    /// <returns>False when it is not wanted any more: it is disposed then.</returns>
    public bool Offer(FetchRequest request, MessageBatch batch) => state.Offer(request, batch);

    /// <summary>Offsets [from, to) of the partition are not in the log: recorded and reported, once.</summary>
    public async Task GapAsync(StreamPartition partition, long from, long to, CancellationToken cancellationToken)
    {
        await using var connection = await leases.OpenConnectionAsync(cancellationToken);
        await GapAsync(connection, partition, from, to, cancellationToken);
    }

    /// <inheritdoc cref="GapAsync(StreamPartition, long, long, CancellationToken)"/>
    public async Task GapAsync(NpgsqlConnection connection, StreamPartition partition, long from, long to, CancellationToken cancellationToken)
    {
        if (!await leases.RecordGapAsync(connection, partition, from, to, cancellationToken))
            return;
        telemetry.Gap(group, to - from);
        LogGap(logger, group, partition.ToString(), from, to);
    }

    /// <summary>The messages at [first, next) can't be read: the partition is left alone for a while.</summary>
    public void Corrupt(FetchRequest request, long first, long next, string fault)
    {
        telemetry.Corrupt(group);
        LogCorrupt(logger, group, request.Partition.Partition.ToString(), first, next, fault, state.Postpone(request).TotalSeconds);
    }

    /// <summary>The partition can't be read now: it is left alone for a while, the others go on.</summary>
    public void Failed(FetchRequest request, string fault)
    {
        LogFailed(logger, group, request.Partition.Partition.ToString(), fault, state.Postpone(request).TotalSeconds);
    }

    /// <summary>Another reader has taken the partition: it counts as lost, and the next renewal finds out whose it is.</summary>
    public void Lose(FetchRequest request, string reason)
    {
        if (!state.Lose(request))
            return;
        telemetry.LeaseLost(group);
        telemetry.NoLag(group, request.Partition.Partition);
        LogLost(logger, group, request.Partition.Partition.ToString(), reason);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Group {Group} can't read the record batch of {Partition} at offsets [{First}, {Next}): {Fault}. Nothing of the partition follows until it can; next try in {Seconds} s.")]
    private static partial void LogCorrupt(ILogger logger, string group, string partition, long first, long next, string fault, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Group {Group} can't read {Partition}: {Fault}; next try in {Seconds} s.")]
    private static partial void LogFailed(ILogger logger, string group, string partition, string fault, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Group {Group}: offsets [{From}, {To}) of {Partition} are not in the log; recorded as a gap.")]
    private static partial void LogGap(ILogger logger, string group, string partition, long from, long to);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Group {Group} lost {Partition}: {Reason}")]
    private static partial void LogLost(ILogger logger, string group, string partition, string reason);
}
