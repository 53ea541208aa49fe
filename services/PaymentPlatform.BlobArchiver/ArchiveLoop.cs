using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;
using PaymentPlatform.Streaming.Repeats;

namespace PaymentPlatform.BlobArchiver;

/// <summary>
/// One consumer's life: reads the stream into a buffer, and hands full buffers to one flush at a time while the other buffer fills. When both are taken it stops reading:
/// that bounds the memory, whatever the load and however long a store is away. Used once.
/// </summary>
internal sealed partial class ArchiveLoop(
    MessageConsumer consumer, IArchiveFlusher flusher, EventAppender appender, RepeatFilter repeats, ArchiverOptions options, ArchiverTelemetry telemetry, TimeProvider timeProvider, ILogger logger)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private readonly ArchivePlan _plan = new(options, timeProvider);
    private ArchiveBuffer _filling = new();
    private ArchiveBuffer _spare = new();
    private Task<bool>? _flush;
    private CancellationTokenSource? _wake;

    /// <summary>Runs until every partition is given up.</summary>
    /// <param name="stop">Asks for a graceful end: what is read is flushed.</param>
    /// <param name="abort">Asks for an end now. What is not committed will be read again.</param>
    /// <exception cref="OperationCanceledException">Aborted.</exception>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(abort);
        try
        {
            var stopping = false;
            while (true)
            {
                if (!stopping && stop.IsCancellationRequested)
                {
                    stopping = true;
                    consumer.Stop();
                }

                if (_flush is { IsCompleted: true })
                    await EndFlushAsync(end.Token);
                if (_plan.UntilDue() is { Ticks: 0 })
                    BeginFlush(FlushReason.Age, end.Token);
                if (await ReadAsync(stopping ? end.Token : stop, end.Token) is { } next)
                    await HandleAsync(next, end.Token);
                else if (consumer.IsStopped)
                    break;
            }

            await EndFlushAsync(end.Token);
        }
        finally
        {
            await end.CancelAsync();
            if (_flush is not null)
                await ((Task)_flush).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            telemetry.Buffering(null);
            _filling.Dispose();
            _spare.Dispose();
        }
    }

    /// <summary>Waits for an event, but no longer than until the buffer is due, the flush ends, or the end is asked for.</summary>
    private async ValueTask<ConsumerEvent?> ReadAsync(CancellationToken stop, CancellationToken abort)
    {
        var timeout = _plan.UntilDue() is { } due && due < LongestWait ? due : LongestWait;
        if (_wake is null)
        {
            try
            {
                return await consumer.ReadAsync(timeout, stop);
            }
            catch (OperationCanceledException) when (!abort.IsCancellationRequested)
            {
                return null;
            }
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(_wake.Token, stop);
        try
        {
            return await consumer.ReadAsync(timeout, either.Token);
        }
        catch (OperationCanceledException) when (!abort.IsCancellationRequested)
        {
            return null;
        }
    }

    private async ValueTask HandleAsync(ConsumerEvent next, CancellationToken abort)
    {
        switch (next)
        {
            case ConsumerEvent.Assigned(var partition, var offset):
                await AssignAsync(partition, offset, abort);
                break;
            case ConsumerEvent.Received(var batch):
                using (batch)
                    await TakeAsync(batch, abort);
                break;
            case ConsumerEvent.Revoking(var partition):
                await ReleaseAsync(partition, abort);
                break;
            case ConsumerEvent.Lost(var partition):
                await LoseAsync(partition, abort);
                break;
        }
    }

    private async ValueTask AssignAsync(StreamPartition partition, long offset, CancellationToken abort)
    {
        if (!_plan.IsFilling(partition) && !_plan.IsUnderWay(partition))
        {
            repeats.Forget(partition);
            _plan.Assign(partition, offset);
            LogAssigned(logger, partition.ToString(), offset);
            return;
        }

        // It went and came back. Its offset was read before the flush under way has ended: read it again after.
        await EndFlushAsync(abort);
        await DiscardAsync([partition], abort);
    }

    private async ValueTask TakeAsync(MessageBatch batch, CancellationToken abort)
    {
        var partition = batch.Partition;
        if (!_plan.Holds(partition))
            return;
        if (!_plan.Follows(partition, batch.FirstOffset))
        {
            LogOutOfStep(logger, partition.ToString(), batch.FirstOffset);
            await EndFlushAsync(abort);
            await DiscardAsync([partition], abort);
            return;
        }

        await repeats.PrepareAsync(batch, abort);
        for (var index = 0; ;)
        {
            index = Append(batch, index, out var full);
            if (full is not { } reason)
                return;
            await EndFlushAsync(abort);
            // The flush that ended may have been abandoned, and this batch with it.
            if (!_plan.Holds(partition))
                return;
            if (!_plan.IsEmpty)
                BeginFlush(reason, abort);
            if (index == batch.Messages.Length)
                return;
        }
    }

    /// <summary>Appends from <paramref name="index"/> on until the buffer has to go.</summary>
    /// <returns>The first message that was not taken.</returns>
    private int Append(MessageBatch batch, int index, out FlushReason? full)
    {
        var messages = batch.Messages;
        full = null;
        for (; index < messages.Length && full is null; index++)
        {
            ref readonly var message = ref messages[index];
            if (!_filling.IsOfHour(message.EnqueuedAtMicros))
            {
                full = FlushReason.Hour;
                break;
            }

            _filling.Append(appender, batch.Partition, message, repeats.IsRepeat(batch.Partition, message));
            full = _plan.Full(_filling.Events.RowCount, _filling.Bytes);
        }

        _plan.Extend(batch.Partition, index == messages.Length ? batch.NextOffset : messages[index].Offset);
        NoteOldest();
        return index;
    }

    private async ValueTask ReleaseAsync(StreamPartition partition, CancellationToken abort)
    {
        _plan.Drop(partition);
        if (_plan.IsUnderWay(partition) || _plan.IsFilling(partition))
            await EndFlushAsync(abort);
        if (_plan.IsFilling(partition))
        {
            BeginFlush(FlushReason.Revoked, abort);
            await EndFlushAsync(abort);
        }

        repeats.Forget(partition);
        await consumer.ReleaseAsync(partition, abort);
        LogReleased(logger, partition.ToString());
    }

    private async ValueTask LoseAsync(StreamPartition partition, CancellationToken abort)
    {
        _plan.Drop(partition);
        repeats.Forget(partition);
        LogLost(logger, partition.ToString());
        if (!_plan.IsFilling(partition))
            return;
        // The checkpoints of the others are settled only once the flush under way has ended.
        await EndFlushAsync(abort);
        if (_plan.IsFilling(partition))
            await DiscardAsync([], abort);
    }

    private void BeginFlush(FlushReason reason, CancellationToken abort)
    {
        var ranges = _plan.Begin();
        var buffer = _filling;
        buffer.Taken = repeats.Cut();
        (_filling, _spare) = (_spare, _filling);
        _wake = new();
        _flush = RunAsync(_wake);

        async Task<bool> RunAsync(CancellationTokenSource wake)
        {
            try
            {
                return await flusher.FlushAsync(buffer, ranges, reason, abort);
            }
            finally
            {
                _ = wake.CancelAsync();
            }
        }
    }

    private async ValueTask EndFlushAsync(CancellationToken abort)
    {
        if (_flush is null)
            return;
        bool live;
        try
        {
            live = await _flush;
        }
        finally
        {
            _flush = null;
            _wake = null;
        }

        _spare.Clear();
        NoteOldest();
        if (live)
        {
            var outOfStep = _plan.Complete();
            if (outOfStep.Count > 0)
                await DiscardAsync(outOfStep, abort);
            repeats.Trim();
            return;
        }

        _filling.Clear();
        await RewindAsync(_plan.Abandon(), abort);
    }

    private ValueTask DiscardAsync(IReadOnlyList<StreamPartition> also, CancellationToken abort)
    {
        _filling.Clear();
        return RewindAsync(_plan.Discard(also), abort);
    }

    private async ValueTask RewindAsync(IReadOnlyList<StreamPartition> partitions, CancellationToken abort)
    {
        NoteOldest();
        foreach (var partition in partitions)
        {
            LogRewinding(logger, partition.ToString());
            repeats.Forget(partition);
            await consumer.RewindAsync(partition, abort);
        }
    }

    private void NoteOldest() => telemetry.Buffering((_flush is null ? _filling : _spare).Events.MinEnqueuedAtMicros);

    [LoggerMessage(Level = LogLevel.Information, Message = "Archiving {Partition} from offset {Offset}")]
    private static partial void LogAssigned(ILogger logger, string partition, long offset);

    [LoggerMessage(Level = LogLevel.Information, Message = "Released {Partition}")]
    private static partial void LogReleased(ILogger logger, string partition);

    [LoggerMessage(Level = LogLevel.Information, Message = "Lost {Partition}")]
    private static partial void LogLost(ILogger logger, string partition);

    [LoggerMessage(Level = LogLevel.Information, Message = "Reading {Partition} again from its checkpoint")]
    private static partial void LogRewinding(ILogger logger, string partition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch of {Partition} starts at {Offset}, which is not where the last one ended: reading again from the checkpoint")]
    private static partial void LogOutOfStep(ILogger logger, string partition, long offset);
}
