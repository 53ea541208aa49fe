using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Leasing;

/// <summary>
/// A consumer whose partitions are shared out by leases in the database, over any log that a <see cref="LogReader"/> reads.
/// Two loops feed the caller: one keeps the leases, one reads ahead. Leases only share the work out: what keeps a stale owner from doing harm is the checkpoint's compare-and-swap.
/// </summary>
internal partial class LeasedMessageConsumer : MessageConsumer
{
    private static readonly TimeSpan s_poll = TimeSpan.FromSeconds(1);

    /// <summary>Under load small fetches are this far apart: one query for what several appends brought.</summary>
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(5);
    private const int SmallFetchBytes = 256 << 10;

    private readonly string _group;
    private readonly string _stream;
    private readonly TimeSpan _leaseDuration;
    private readonly StreamingTelemetry _telemetry;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly ConsumerState _state;
    private readonly PartitionLeases _leases;
    private readonly LogReader _reader;
    private readonly IDisposable _subscription;
    private readonly CancellationTokenSource _end = new();
    private readonly SemaphoreSlim _leaseMutex = new(1, 1);
    private readonly Task _loops;
    private bool _left;

    /// <param name="owner">The consumer's name among the group's members, from <see cref="NewOwner"/>.</param>
    /// <param name="open">Makes the reader of the transport's log.</param>
    public LeasedMessageConsumer(
        NpgsqlDataSource database, StreamSignals signals, string group, string owner, StreamingOptions options, StreamingTelemetry telemetry, TimeProvider timeProvider, ILogger logger, Func<FetchTarget, LogReader> open)
    {
        _group = group;
        _stream = options.Stream;
        _leaseDuration = options.LeaseDuration;
        _telemetry = telemetry;
        _timeProvider = timeProvider;
        _logger = logger;
        _state = new(timeProvider, options.PrefetchBytes, options.PrefetchBytesPerPartition);
        _leases = new(database, group, _stream, owner, _leaseDuration);
        _reader = open(new(group, _state, _leases, telemetry, logger));
        _subscription = signals.Subscribe(OnSignal);
        _loops = Task.WhenAll(Task.Run(() => KeepLeasesAsync(_end.Token)), Task.Run(() => ReadAheadAsync(_end.Token)));
    }

    /// <summary>A name among the members. Older ones sort first, and those keep the odd partition when another joins.</summary>
    public static string NewOwner(TimeProvider timeProvider) => string.Create(
        CultureInfo.InvariantCulture, $"{timeProvider.GetUtcNow():yyyyMMdd'T'HHmmss.fffffff}-{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}");

    public override bool IsStopped => _state.IsStopped;

    public override async ValueTask<ConsumerEvent?> ReadAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var began = _timeProvider.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var next = _state.Take(out var lost);
            ReportExpired(lost);
            if (next is ConsumerEvent.Received received)
                _telemetry.Received(_group, received.Batch.Messages.Length, received.Batch.BodyBytes);
            if (next is not null)
                return next;
            var rest = Timeout.InfiniteTimeSpan;
            if (timeout != Timeout.InfiniteTimeSpan)
                rest = TimeSpan.FromTicks(Math.Max(0, (timeout - _timeProvider.GetElapsedTime(began)).Ticks));
            if (_state.IsStopped || rest == TimeSpan.Zero)
                return null;
            await _state.Events.WaitAsync(rest, cancellationToken);
        }
    }

    public override async ValueTask RewindAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        if (_state.BeginRewind(partition) is not var (consumed, generation))
            return;
        for (var faults = 0; ;)
        {
            try
            {
                var firstOffset = await _leases.FindOwnAsync(partition, cancellationToken);
                long? position = firstOffset is { } first ? await OpenAsync(partition, first, cancellationToken) : null;
                _state.EndRewind(consumed, generation, position);
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
            {
                LogFault(_logger, _group, "rewind", e.Message);
                await Task.Delay(Backoff(faults++), _timeProvider, cancellationToken);
            }
        }
    }

    /// <summary>A rewind that is begun, and ends with the next one.</summary>
    public override void Hold(StreamPartition partition) => _state.BeginRewind(partition);

    public override async ValueTask ReleaseAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        // A renewal that is on its way would take a released partition for a new one.
        await _leaseMutex.WaitAsync(cancellationToken);
        try
        {
            if (!_state.Release(partition))
                return;
            _telemetry.NoLag(_group, partition);
            LogReleased(_logger, _group, partition.ToString());
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(_leaseDuration / 3);
            try
            {
                var leaving = _state.IsStopped;
                await _leases.ReleaseAsync([partition.PartitionId], leaving, limit.Token);
                _left |= leaving;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                // The next renewal leaves it out, and otherwise the lease runs out.
                LogFault(_logger, _group, "release", e.Message);
                _state.Leases.Set();
            }
        }
        finally
        {
            _leaseMutex.Release();
        }
    }

    public override void Stop() => _state.Stop();

    public override async ValueTask DisposeAsync()
    {
        if (_end.IsCancellationRequested)
            return;
        _subscription.Dispose();
        await _end.CancelAsync();
        await _loops;
        await _reader.DisposeAsync();
        var held = _state.Held;
        _state.Clear();
        if (_left)
            return;
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await _leases.ReleaseAsync(held, leaving: true, limit.Token);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException or OperationCanceledException)
        {
            LogFault(_logger, _group, "leave", e.Message);
        }
    }

    private void OnSignal(string payload)
    {
        if (payload.Length == 0 || payload == "l:" + _stream || payload == $"g:{_group}/{_stream}")
            _state.Leases.Set();
        if (payload.Length < 2 || payload[1] != ':')
            _state.Fetch.Set();
    }

    private async Task KeepLeasesAsync(CancellationToken cancellationToken)
    {
        var faults = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var pause = _leaseDuration / 3;
            try
            {
                await RenewAsync(cancellationToken);
                faults = 0;
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogFault(_logger, _group, "lease renewal", e.Message);
                pause = TimeSpan.FromTicks(Math.Min(Backoff(faults++).Ticks, pause.Ticks));
            }

            ReportExpired(_state.Expire());
            try
            {
                await _state.Leases.WaitAsync(pause, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_leaseDuration / 2);
        await _leaseMutex.WaitAsync(limit.Token);
        try
        {
            var stopping = _state.IsStopping;
            if (stopping && _state.IsStopped)
            {
                if (!_left)
                    await _leases.ReleaseAsync([], leaving: true, limit.Token);
                _left = true;
                return;
            }

            var began = _timeProvider.GetTimestamp();
            var lease = await _leases.RenewAsync(_state.Held, stopping, limit.Token);
            _state.Renewed(began + (long)(_leaseDuration.TotalSeconds * _timeProvider.TimestampFrequency));
            foreach (var dropped in _state.Reconcile(lease.LogId, lease.Partitions.Select(p => p.PartitionId).ToHashSet(), stopping ? int.MaxValue : lease.Target))
            {
                _telemetry.LeaseLost(_group);
                _telemetry.NoLag(_group, dropped);
                LogLost(_logger, _group, dropped.ToString(), lease.LogId == dropped.LogId ? "another owner has it" : "its log is gone");
            }

            var held = _state.Held;
            foreach (var leased in lease.Partitions)
            {
                var partition = new StreamPartition(_stream, lease.LogId!, leased.PartitionId);
                _telemetry.Lag(_group, partition, leased.EndOffset - (leased.Checkpoint ?? leased.FirstOffset));
                if (held.Contains(leased.PartitionId) || stopping)
                    continue;
                var position = await OpenAsync(partition, leased.FirstOffset, limit.Token);
                _state.Assign(partition, position);
                LogAssigned(_logger, _group, partition.ToString(), position);
            }
        }
        finally
        {
            _leaseMutex.Release();
        }
    }

    private async Task<long> OpenAsync(StreamPartition partition, long firstOffset, CancellationToken cancellationToken)
    {
        var (position, lost) = await _leases.OpenAsync(partition, firstOffset, cancellationToken);
        if (lost > 0)
        {
            _telemetry.Gap(_group, lost);
            LogGap(_logger, _group, position - lost, position, partition.ToString());
        }

        return position;
    }

    private async Task ReadAheadAsync(CancellationToken cancellationToken)
    {
        var faults = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var wanted = _state.Wanted();
                var began = _timeProvider.GetTimestamp();
                var fetched = 0L;
                if (wanted.Count > 0)
                {
                    var logId = wanted[0].Partition.Partition.LogId;
                    fetched = await _reader.FetchAsync(logId, [.. wanted.Where(w => w.Partition.Partition.LogId == logId)], cancellationToken);
                    faults = 0;
                    if (fetched == 0 && !await _reader.WaitAsync(_state.Fetch, s_poll, cancellationToken) && !await _leases.IsCurrentAsync(logId, cancellationToken))
                        _state.Leases.Set();
                }
                else
                {
                    await _reader.WaitAsync(_state.Fetch, s_poll, cancellationToken);
                }

                var rest = s_pace - _timeProvider.GetElapsedTime(began);
                if (fetched is > 0 and < SmallFetchBytes && rest > TimeSpan.Zero)
                    await Task.Delay(rest, _timeProvider, cancellationToken);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogFault(_logger, _group, "fetch", e.Message);
                await Task.Delay(Backoff(faults++), _timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static TimeSpan Backoff(int faults) => TimeSpan.FromMilliseconds(Math.Min(100 << Math.Min(faults, 6), 5000));

    private void ReportExpired(int lost)
    {
        if (lost == 0)
            return;
        for (var i = 0; i < lost; i++)
            _telemetry.LeaseLost(_group);
        LogExpired(_logger, _group, lost, _leaseDuration.TotalSeconds);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Group {Group} reads {Partition} from offset {Offset}")]
    private static partial void LogAssigned(ILogger logger, string group, string partition, long offset);

    [LoggerMessage(Level = LogLevel.Information, Message = "Group {Group} released {Partition}")]
    private static partial void LogReleased(ILogger logger, string group, string partition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Group {Group} lost {Partition}: {Reason}")]
    private static partial void LogLost(ILogger logger, string group, string partition, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Group {Group} lost {Count} partitions: their leases could not be renewed within {Seconds} s")]
    private static partial void LogExpired(ILogger logger, string group, int count, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Group {Group}: offsets [{From}, {To}) of {Partition} were gone before they were read; recorded as a gap.")]
    private static partial void LogGap(ILogger logger, string group, long from, long to, string partition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Group {Group}: {What} failed, it is tried again: {Fault}")]
    private static partial void LogFault(ILogger logger, string group, string what, string fault);
}
