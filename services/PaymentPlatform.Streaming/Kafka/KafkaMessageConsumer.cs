using System.Collections.Concurrent;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.Brokers;
using PaymentPlatform.Streaming.Leasing;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>
/// One thread polls librdkafka and does all that must happen between two polls; a loop beside it watches the log. The brokers share the partitions out, and what keeps a stale owner from doing harm is the
/// checkpoint's compare-and-swap.
/// </summary>
internal sealed partial class KafkaMessageConsumer : MessageConsumer
{
    private static readonly TimeSpan s_watch = TimeSpan.FromSeconds(1);

    private readonly KafkaLog _log;
    private readonly KafkaStreamTopology _topology;
    private readonly BrokerLog _mirror;
    private readonly PartitionLeases _positions;
    private readonly string _group;
    private readonly string _owner;
    private readonly string _topic;
    private readonly TimeSpan _ownedFor;
    private readonly TimeSpan _longestRelease;
    private readonly StreamingTelemetry _telemetry;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly KafkaConsumerState _state;
    private readonly KafkaScratch _scratch = new();
    private readonly KafkaHeaderReader _headers = new();
    private readonly IConsumer<KafkaBytes, KafkaBytes> _consumer;
    private readonly ConcurrentQueue<Action> _commands = new();
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _polled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _watching;
    private volatile bool _leavesSilently;
    private int _disposed;

    public KafkaMessageConsumer(
        KafkaConnection connection, KafkaLog log, KafkaStreamTopology topology, BrokerLog mirror, PartitionLeases positions, string group, string owner, StreamingOptions options,
        StreamingTelemetry telemetry, TimeProvider timeProvider, ILogger<KafkaMessageConsumer> logger)
    {
        _log = log;
        _topology = topology;
        _mirror = mirror;
        _positions = positions;
        _group = group;
        _owner = owner;
        _topic = options.Stream;
        _ownedFor = options.LeaseDuration > s_watch * 5 ? options.LeaseDuration : s_watch * 5;
        _longestRelease = TimeSpan.FromTicks(Math.Min(connection.Settings.MaxPollInterval.Ticks / 3, TimeSpan.FromSeconds(60).Ticks));
        _telemetry = telemetry;
        _timeProvider = timeProvider;
        _logger = logger;
        // librdkafka has the one half of what may be read ahead, we the other.
        _state = new(Math.Max(options.PrefetchBytes / 2, 1), Math.Max(options.PrefetchBytesPerPartition / 2, 1));
        _consumer = connection.ConsumerBuilder(group, options.PrefetchBytes / 2, _scratch)
            .SetPartitionsAssignedHandler((_, partitions) => OnAssigned(partitions))
            .SetPartitionsRevokedHandler((_, partitions) => OnRevoked(partitions))
            .SetPartitionsLostHandler((_, partitions) => OnLost(partitions))
            .Build();
        new Thread(Poll) { IsBackground = true, Name = $"kafka {group}" }.Start();
        _watching = Task.Run(() => WatchAsync(_end.Token));
    }

    public override bool IsStopped => _state.IsStopped;

    public override async ValueTask<ConsumerEvent?> ReadAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var began = _timeProvider.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var next = _state.Take();
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

    public override ValueTask RewindAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        if (_state.BeginRewind(partition) is { } owned)
            _commands.Enqueue(() => Reopen(owned));
        return ValueTask.CompletedTask;
    }

    public override void Hold(StreamPartition partition)
    {
        if (_state.BeginRewind(partition) is { } owned)
            _commands.Enqueue(() => Hold(owned));
    }

    public override ValueTask ReleaseAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        if (_state.Release(partition))
        {
            _telemetry.NoLag(_group, partition);
            LogReleased(_logger, _group, partition.ToString());
        }

        return ValueTask.CompletedTask;
    }

    public override void Stop() => _state.Stop();

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return;
        var held = _state.Owned;
        _state.Clear();
        await _end.CancelAsync();
        await _polled.Task;
        await _watching;
        foreach (var partition in held)
            _telemetry.NoLag(_group, partition);
        await DisownAsync();
        _state.Dispose();
    }

    /// <summary>As a process ends that is killed: the brokers are told nothing.</summary>
    internal async Task AbandonAsync()
    {
        _leavesSilently = true;
        await DisposeAsync();
    }

    /// <summary>Looks after the mirror and the lag, and notices another log under the topic's name.</summary>
    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        var faults = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var pause = s_watch;
            try
            {
                await LookAsync(cancellationToken);
                faults = 0;
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                pause = Backoff(faults++);
                LogFault(_logger, _group, "looking at the log", e.Message);
            }

            await Task.Delay(pause, _timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var log = await _topology.GetAsync(cancellationToken);
        var owned = _state.Owned;
        if (owned.Exists(p => p.LogId != log.LogId))
            _commands.Enqueue(() => MoveTo(log.LogId));
        owned.RemoveAll(p => p.LogId != log.LogId);
        var offsets = await _log.ReadOffsetsAsync([.. owned.Select(p => p.PartitionId)], cancellationToken);
        await _mirror.ObserveAsync(log.LogId, log.Partitions, offsets.Values, cancellationToken);
        if (_state.IsStopping)
            return;
        await _mirror.OwnAsync(_group, _owner, offsets.Keys, _ownedFor, cancellationToken);
        var checkpoints = await _positions.ReadCheckpointsAsync(log.LogId, cancellationToken);
        foreach (var partition in owned)
        {
            var seen = offsets[partition.PartitionId];
            _telemetry.Lag(_group, partition, seen.NextOffset - checkpoints.GetValueOrDefault(partition.PartitionId, seen.FirstOffset));
        }
    }

    private async Task DisownAsync()
    {
        if (_leavesSilently)
            return;
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await _mirror.OwnAsync(_group, _owner, [], _ownedFor, limit.Token);
        }
        catch (Exception e) when (e is Npgsql.NpgsqlException or TimeoutException or InvalidOperationException or OperationCanceledException)
        {
            LogFault(_logger, _group, "leaving", e.Message);
        }
    }

    private static TimeSpan Backoff(int faults) => TimeSpan.FromMilliseconds(Math.Min(100 << Math.Min(faults, 6), 5000));

    [LoggerMessage(Level = LogLevel.Information, Message = "Group {Group} reads {Partition} from offset {Offset}")]
    private static partial void LogAssigned(ILogger logger, string group, string partition, long offset);

    [LoggerMessage(Level = LogLevel.Information, Message = "Group {Group} released {Partition}")]
    private static partial void LogReleased(ILogger logger, string group, string partition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Group {Group} lost {Partition}: {Reason}")]
    private static partial void LogLost(ILogger logger, string group, string partition, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Group {Group}: offsets [{From}, {To}) of {Partition} were gone before they were read; recorded as a gap.")]
    private static partial void LogGap(ILogger logger, string group, long from, long to, string partition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Group {Group}: {Partition} ends at offset {End}, before {Position}, up to which it was read: it is taken for a new log and read from its beginning.")]
    private static partial void LogBeyond(ILogger logger, string group, string partition, long end, long position);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Group {Group}: {What} failed, it is tried again: {Fault}")]
    private static partial void LogFault(ILogger logger, string group, string what, string fault);
}
