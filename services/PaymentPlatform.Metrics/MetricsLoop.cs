using Npgsql;
using PaymentPlatform.Events;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;
using PaymentPlatform.Streaming.Repeats;

namespace PaymentPlatform.Metrics;

/// <summary>
/// Reads, gathers, commits. One batch may be in commit while the next is gathered. Whatever goes wrong with a commit, all that is gathered is dropped
/// and every partition is read again from its checkpoint: the checkpoint alone says what took effect.
/// </summary>
internal sealed partial class MetricsLoop(
    MessageConsumer consumer, MetricsWriter writer, TransactionParser parser, RepeatFilter repeats, PartitionRules rules, MetricsOptions options, MetricsTelemetry telemetry, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(250);
    /// <summary>Of hits and buckets.</summary>
    private const long MaxRuleBytes = 64 << 20;

    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(5);

    /// <summary>What somebody has to mend first.</summary>
    private static readonly TimeSpan MaxRefusal = TimeSpan.FromSeconds(30);

    private readonly Dictionary<StreamPartition, long> _nextOffsets = [];

    /// <summary>Partitions whose rules could not be restored: how often, and the moment (of the monotonic clock) from which it is tried again.</summary>
    private readonly Dictionary<StreamPartition, (int Failures, long RetryAt)> _waiting = [];

    private GatheredBatch _gathered = new(parser, repeats, rules, logger);
    private GatheredBatch _committing = new(parser, repeats, rules, logger);
    private Task<IReadOnlyList<StreamPartition>>? _commit;
    private long _lastCommit = time.GetTimestamp() - time.TimestampFrequency * 60;
    private int _failures;

    /// <param name="stop">Begins the graceful end: what is gathered is committed, the partitions are given up.</param>
    /// <param name="abort">Ends it at once.</param>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        var stopping = false;
        while (!consumer.IsStopped)
        {
            if (stop.IsCancellationRequested && !stopping)
            {
                consumer.Stop();
                stopping = true;
            }

            if (_commit is { IsCompleted: true })
                await SettleAsync(abort);
            await RetryAsync(abort);
            if (IsFull || (IsDue && _commit is null))
                await CommitAsync(abort);
            else if (await consumer.ReadAsync(ReadTimeout(), abort) is { } next)
                await HandleAsync(next, abort);
            else if (IsDue)
                await CommitAsync(abort);
        }

        await SettleAsync(abort);
    }

    private bool IsFull =>
        _gathered.Events >= options.MaxBatchEvents || _gathered.FailedBytes >= options.MaxFailedBytes || _gathered.Figures.Delta.KeyCount >= options.MaxBatchKeys
        || _gathered.Rules.Output.KeyCount >= options.MaxBatchKeys || _gathered.Rules.Output.Bytes >= MaxRuleBytes;

    private bool IsDue => !_gathered.IsEmpty && Remaining() <= TimeSpan.Zero;

    private TimeSpan Remaining() => options.CommitInterval - time.GetElapsedTime(_lastCommit);

    private TimeSpan ReadTimeout()
    {
        // A stop is noticed between two reads.
        return _gathered.IsEmpty ? Idle : TimeSpan.FromTicks(Math.Clamp(Remaining().Ticks, 0, Idle.Ticks));
    }

    private async ValueTask HandleAsync(ConsumerEvent next, CancellationToken abort)
    {
        switch (next)
        {
            case ConsumerEvent.Received(var batch):
                using (batch)
                    await AddAsync(batch, abort);
                break;
            case ConsumerEvent.Assigned(var partition, var offset):
                await ForgetAsync(partition, abort);
                await AssignAsync(partition, offset, abort);
                break;
            case ConsumerEvent.Lost(var partition):
                _waiting.Remove(partition);
                await ForgetAsync(partition, abort);
                LogLost(logger, partition);
                break;
            case ConsumerEvent.Revoking(var partition):
                // Should the commit fail, the others are read again; this one goes anyway, and its next owner reads it.
                _nextOffsets.Remove(partition);
                _waiting.Remove(partition);
                await CommitAsync(abort);
                await SettleAsync(abort);
                repeats.Forget(partition);
                rules.Forget(partition);
                await consumer.ReleaseAsync(partition, abort);
                LogReleased(logger, partition);
                break;
        }
    }

    private async ValueTask AddAsync(MessageBatch batch, CancellationToken abort)
    {
        if (!_nextOffsets.TryGetValue(batch.Partition, out var expected))
            return;
        if (batch.FirstOffset != expected)
        {
            LogOutOfOrder(logger, batch.Partition, expected, batch.FirstOffset);
            await RewindAsync(abort);
            return;
        }

        if (rules.IsOutdated)
        {
            // No batch holds results of two versions.
            await CommitAsync(abort);
            rules.TakeNewest();
            if (!_nextOffsets.ContainsKey(batch.Partition))
                return;
        }

        await repeats.PrepareAsync(batch, abort);
        _gathered.Add(batch, telemetry.WantsLinks);
        _nextOffsets[batch.Partition] = batch.NextOffset;
    }

    private async ValueTask AssignAsync(StreamPartition partition, long offset, CancellationToken abort)
    {
        try
        {
            if (!await rules.AssignAsync(partition, offset, abort))
            {
                await consumer.RewindAsync(partition, abort);
                return;
            }

            _waiting.Remove(partition);
            _nextOffsets[partition] = offset;
            LogAssigned(logger, partition, offset);
        }
        catch (NpgsqlException exception)
        {
            var backoff = Wait(partition, MaxBackoff);
            LogNotRestored(logger, partition, exception.Message, backoff.TotalSeconds);
        }
        catch (InvalidDataException exception)
        {
            var backoff = Wait(partition, MaxRefusal);
            LogRefused(logger, partition, exception.Message, backoff.TotalSeconds);
        }
    }

    /// <summary>The others go on.</summary>
    private TimeSpan Wait(StreamPartition partition, TimeSpan most)
    {
        var failures = _waiting.GetValueOrDefault(partition).Failures;
        var backoff = Backoff(failures, most);
        _waiting[partition] = (failures + 1, time.GetTimestamp() + (long)(backoff.TotalSeconds * time.TimestampFrequency));
        consumer.Hold(partition);
        return backoff;
    }

    /// <summary>Asks for the partitions whose wait is over.</summary>
    private async ValueTask RetryAsync(CancellationToken abort)
    {
        if (_waiting.Count == 0)
            return;
        var now = time.GetTimestamp();
        foreach (var (partition, (failures, _)) in _waiting.Where(w => w.Value.RetryAt <= now).ToArray())
        {
            _waiting[partition] = (failures, long.MaxValue);
            await consumer.RewindAsync(partition, abort);
        }
    }

    /// <summary>What is held for the partition is void. Figures of several partitions are added up already, so the others are read again too.</summary>
    private async ValueTask ForgetAsync(StreamPartition partition, CancellationToken abort)
    {
        await SettleAsync(abort);
        _nextOffsets.Remove(partition);
        repeats.Forget(partition);
        rules.Forget(partition);
        if (_gathered.Holds(partition))
            await RewindAsync(abort);
    }

    private async ValueTask CommitAsync(CancellationToken abort)
    {
        await SettleAsync(abort);
        if (_gathered.IsEmpty)
            return;
        (_gathered, _committing) = (_committing, _gathered);
        _committing.Close(repeats.Cut());
        _lastCommit = time.GetTimestamp();
        _commit = WriteAsync(_committing, abort);
    }

    private async Task<IReadOnlyList<StreamPartition>> WriteAsync(GatheredBatch batch, CancellationToken abort)
    {
        using var activity = telemetry.StartCommit(batch);
        var started = time.GetTimestamp();
        try
        {
            var stale = await writer.CommitAsync(batch, abort);
            var elapsed = time.GetElapsedTime(started);
            if (stale.Count > 0)
            {
                telemetry.Outcome("stale", elapsed);
                return stale;
            }

            telemetry.Committed(batch, elapsed, time.GetUtcNow());
            LogCommit(logger, batch.Events, batch.Failed.Count, batch.Figures.KeyCount, elapsed.TotalMilliseconds);
            return stale;
        }
        catch (Exception exception)
        {
            activity?.SetStatus(System.Diagnostics.ActivityStatusCode.Error, exception.Message);
            telemetry.Outcome("failed", time.GetElapsedTime(started));
            throw;
        }
    }

    /// <summary>Waits for the commit that is under way, if any. When it did not take effect, or nobody knows, all is read again from the checkpoints.</summary>
    private async ValueTask SettleAsync(CancellationToken abort)
    {
        if (_commit is not { } commit)
            return;
        _commit = null;
        try
        {
            var stale = await commit;
            _committing.Clear();
            _failures = 0;
            if (stale.Count > 0)
            {
                LogStale(logger, string.Join(", ", stale));
                await RewindAsync(abort);
            }

            repeats.Trim();
        }
        catch (Exception exception) when (!abort.IsCancellationRequested)
        {
            _committing.Clear();
            var backoff = Backoff(_failures++, MaxBackoff);
            if (exception is NpgsqlException)
                LogCommitFailed(logger, exception.Message, backoff.TotalSeconds);
            else
                LogCommitBroken(logger, exception, backoff.TotalSeconds);
            await Task.Delay(backoff, time, abort);
            await RewindAsync(abort);
        }
    }

    private static TimeSpan Backoff(int failures, TimeSpan most) =>
        TimeSpan.FromMilliseconds(Math.Min(most.TotalMilliseconds, 50 * Math.Pow(2, Math.Min(failures, 10)) * (0.5 + Random.Shared.NextDouble())));

    private async ValueTask RewindAsync(CancellationToken abort)
    {
        _gathered.Clear();
        repeats.ForgetAll();
        rules.ForgetAll();
        var partitions = _nextOffsets.Keys.Order().ToArray();
        // No batch is taken before the partition is announced again.
        _nextOffsets.Clear();
        foreach (var partition in partitions)
            await consumer.RewindAsync(partition, abort);
    }
}
