using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>
/// Groups concurrent calls into appends: one transaction, one round trip, one fsync for all that waited meanwhile. While one append is on its way the next gathers;
/// a large one is encoded and sent in parallel to it.
/// A key's partition is Kafka's murmur2 (<see cref="KeyPartitioner"/>); a call's messages without a key all go to one partition, the next one call by call.
/// </summary>
internal sealed partial class PostgresMessagePublisher : MessagePublisher
{
    private const int QueuedCalls = 8192;
    private const int MaxGroupBytes = 4 << 20;
    private const int MaxGroupMessages = 10_000;

    /// <summary>A group of this size does not wait for the append before it.</summary>
    private const int PipelinedBytes = 1 << 20;

    /// <summary>Where the last append carried several calls, their senders are about to send again: worth this much waiting.</summary>
    private static readonly TimeSpan s_linger = TimeSpan.FromMilliseconds(3);

    private readonly NpgsqlDataSource _database;
    private readonly PostgresStreamTopology _topology;
    private readonly StreamingOptions _options;
    private readonly StreamingTelemetry _telemetry;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly Channel<PublishCall> _queue = Channel.CreateBounded<PublishCall>(new BoundedChannelOptions(QueuedCalls) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly SemaphoreSlim _slots = new(2, 2);
    private readonly AsyncSignal _wake = new();
    private readonly Task _collector;
    private readonly Queue<PublishCall> _carried = new();
    private long _queuedBytes;
    private int _queuedCalls;
    private int _wantedCalls = int.MaxValue;
    private int _inFlight;
    private int _callNumber;

    public PostgresMessagePublisher(
        NpgsqlDataSource database, PostgresStreamTopology topology, IOptions<StreamingOptions> options, StreamingTelemetry telemetry, TimeProvider timeProvider, ILogger<PostgresMessagePublisher> logger)
    {
        _database = database;
        _topology = topology;
        _options = options.Value;
        _telemetry = telemetry;
        _timeProvider = timeProvider;
        _logger = logger;
        _collector = Task.Run(CollectAsync);
    }

    public override async ValueTask<IReadOnlyList<ClaimOutcome>> PublishAsync(
        ReadOnlyMemory<Message> messages, IReadOnlyList<IdempotencyClaim> claims, CancellationToken cancellationToken)
    {
        if (messages.IsEmpty && claims.Count == 0)
            return [];
        var call = new PublishCall(messages, claims, Interlocked.Increment(ref _callNumber));
        var bytes = Interlocked.Add(ref _queuedBytes, call.Bytes);
        var calls = Interlocked.Increment(ref _queuedCalls);
        try
        {
            await _queue.Writer.WriteAsync(call, cancellationToken);
        }
        catch (Exception e)
        {
            Dequeued(call);
            if (e is ChannelClosedException)
                throw new ObjectDisposedException(nameof(MessagePublisher));
            throw;
        }

        if (bytes >= PipelinedBytes || calls >= Volatile.Read(ref _wantedCalls))
            _wake.Set();
        await using (cancellationToken.UnsafeRegister(static (state, token) => ((PublishCall)state!).TryCancel(token), call))
            return await call.Completion;
    }

    /// <summary>What was queued is still appended.</summary>
    public override async ValueTask DisposeAsync()
    {
        if (!_queue.Writer.TryComplete())
            return;
        _wake.Set();
        await _collector;
        // Both slots free: nothing is on its way any more.
        await _slots.WaitAsync();
        await _slots.WaitAsync();
    }

    private async Task CollectAsync()
    {
        var lastCalls = 0;
        while (_carried.Count > 0 || await _queue.Reader.WaitToReadAsync())
        {
            await GatherAsync(lastCalls);
            await _slots.WaitAsync();
            var group = TakeAll();
            if (group.Calls.Count == 0)
            {
                _slots.Release();
                continue;
            }

            lastCalls = group.Calls.Count;
            Interlocked.Increment(ref _inFlight);
            _ = Task.Run(() => AppendAsync(group));
        }
    }

    /// <summary>Waits as long as waiting costs nothing (an append is on its way) or little.</summary>
    private async ValueTask GatherAsync(int lastCalls)
    {
        while (Volatile.Read(ref _inFlight) > 0 && Interlocked.Read(ref _queuedBytes) < PipelinedBytes)
            await _wake.WaitAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
        if (lastCalls < 2)
            return;
        Volatile.Write(ref _wantedCalls, lastCalls);
        var began = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref _queuedCalls) < lastCalls && Interlocked.Read(ref _queuedBytes) < PipelinedBytes && !_queue.Reader.Completion.IsCompleted)
        {
            var rest = s_linger - Stopwatch.GetElapsedTime(began);
            if (rest <= TimeSpan.Zero || !await _wake.WaitAsync(rest, CancellationToken.None))
                break;
        }

        Volatile.Write(ref _wantedCalls, int.MaxValue);
    }

    private PublishGroup TakeAll()
    {
        var group = new PublishGroup();
        for (var i = _carried.Count; i > 0; i--)
        {
            var call = _carried.Dequeue();
            if (!group.TryAdd(call))
                _carried.Enqueue(call);
        }

        while (group.Bytes < MaxGroupBytes && group.Messages < MaxGroupMessages && _queue.Reader.TryRead(out var call))
        {
            Dequeued(call);
            if (call.TryTake() && !group.TryAdd(call))
                _carried.Enqueue(call);
        }

        return group;
    }

    private void Dequeued(PublishCall call)
    {
        Interlocked.Add(ref _queuedBytes, -call.Bytes);
        Interlocked.Decrement(ref _queuedCalls);
    }

    /// <summary>Nobody waits for this task: whatever fails, the calls hear of it and the slot is free again. Even a trace listener may throw.</summary>
    private async Task AppendAsync(PublishGroup group)
    {
        try
        {
            await AppendTracedAsync(group);
            foreach (var call in group.Calls)
                call.Complete();
        }
        catch (Exception e)
        {
            var failure = e as StreamUnavailableException ?? PostgresStream.Unavailable(_options.Stream, _database, e);
            foreach (var call in group.Calls)
                call.Fail(failure);
            _telemetry.AppendFailed();
            LogAppendFailed(_logger, group.Calls.Count, group.Messages, failure.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
            _slots.Release();
            _wake.Set();
        }
    }

    private async Task AppendTracedAsync(PublishGroup group)
    {
        using var activity = _telemetry.Activities.StartActivity("stream append", ActivityKind.Producer);
        activity?.SetTag("messaging.destination.name", _options.Stream);
        activity?.SetTag("messaging.batch.message_count", group.Messages);
        try
        {
            await AppendWithRetryAsync(group);
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
    }

    private async Task AppendWithRetryAsync(PublishGroup group)
    {
        var began = _timeProvider.GetTimestamp();
        for (var retries = 0; ;)
        {
            var log = await _topology.GetAsync(CancellationToken.None);
            var batches = group.Encode(log.Partitions);
            try
            {
                await using var connection = await OpenAsync();
                try
                {
                    await PublishGroup.AppendAsync(connection, log.LogId, _options.DiskBudgetBytes, group.FreshClaims(), batches, CancellationToken.None);
                    var events = batches.Sum(b => b.Count);
                    var elapsed = _timeProvider.GetElapsedTime(began);
                    _telemetry.Appended(events, batches.Sum(b => (long)b.UncompressedBytes), batches.Sum(b => (long)b.Size), elapsed);
                    LogAppended(_logger, events, group.Calls.Count, elapsed.TotalMilliseconds);
                    return;
                }
                catch (PostgresException e) when (e.SqlState == PostgresStream.ClaimTaken)
                {
                    // Each round finds at least one claim more that is taken, so this ends.
                    await group.MarkRepeatsAsync(connection, CancellationToken.None);
                }
                catch (PostgresException e) when (e.SqlState == PostgresStream.LogGone && retries++ == 0)
                {
                    _topology.Forget();
                }
                catch (PostgresException e) when (e.SqlState == PostgresStream.NoRoom)
                {
                    _telemetry.NoRoom(group.Messages);
                    throw new StreamUnavailableException(
                        $"The stream '{_options.Stream}' has no room: its unread and retained events use up Streaming:DiskBudgetBytes ({_options.DiskBudgetBytes}). Let the consumers catch up, or raise the budget.", e);
                }
                catch (PostgresException e) when (IsRolledBack(e) && retries++ == 0)
                {
                    LogRetry(_logger, e.MessageText);
                }
            }
            finally
            {
                foreach (var batch in batches)
                    batch.Return();
            }
        }
    }

    /// <summary>Nothing was sent before this succeeds, so it may be tried again.</summary>
    private async Task<NpgsqlConnection> OpenAsync()
    {
        try
        {
            return await _database.OpenConnectionAsync();
        }
        catch (NpgsqlException e) when (e.IsTransient)
        {
            LogRetry(_logger, e.Message);
            await Task.Delay(TimeSpan.FromMilliseconds(100), _timeProvider);
            return await _database.OpenConnectionAsync();
        }
    }

    /// <summary>The server itself says that the transaction failed. After a FATAL, or a dropped connection, it may have committed before: no retry then.</summary>
    private static bool IsRolledBack(PostgresException e) =>
        e.InvariantSeverity == "ERROR" && e.SqlState is (PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.LockNotAvailable);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Appended {Events} events of {Calls} calls in {Milliseconds} ms")]
    private static partial void LogAppended(ILogger logger, int events, int calls, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Append of {Calls} calls with {Events} events failed: {Fault}")]
    private static partial void LogAppendFailed(ILogger logger, int calls, int events, string fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Append is tried once more: {Fault}")]
    private static partial void LogRetry(ILogger logger, string fault);
}
