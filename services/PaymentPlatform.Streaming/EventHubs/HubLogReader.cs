using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.Leasing;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>
/// Reads each owned partition with a receiver of its own, which begins at our position and says nothing to the service about how far we are.
/// Whatever goes wrong ends the receiver; the next one begins at our position again, once the hub was asked whether it still is the same log.
/// </summary>
internal sealed partial class HubLogReader : LogReader
{
    private static readonly TimeSpan s_observation = TimeSpan.FromSeconds(5);

    private readonly HubClient _hub;
    private readonly HubLog _log;
    private readonly string _group;
    private readonly FetchTarget _target;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly Dictionary<int, HubFeed> _feeds = [];
    private readonly List<Task> _closing = [];
    private readonly List<Task> _awaited = [];
    private readonly CancellationTokenSource _end = new();
    private readonly Task _observing;
    private bool _isDoubtful;

    public HubLogReader(HubClient hub, HubLog log, string group, FetchTarget target, TimeProvider timeProvider, ILogger logger)
    {
        (_hub, _log, _group, _target, _timeProvider, _logger) = (hub, log, group, target, timeProvider, logger);
        _observing = Task.Run(() => ObserveAsync(_end.Token));
    }

    public override async Task<long> FetchAsync(string logId, IReadOnlyList<FetchRequest> requests, CancellationToken cancellationToken)
    {
        Sweep();
        _awaited.Clear();
        var fetched = 0L;
        foreach (var request in requests)
        {
            try
            {
                var feed = _feeds.GetValueOrDefault(request.Partition.Partition.PartitionId) ?? await OpenAsync(logId, request, cancellationToken);
                // A receiver that connects now would end the next owner's.
                if (feed is null || !_target.IsWanted(request))
                    continue;
                var bytes = await TakeAsync(feed, request, cancellationToken);
                fetched += bytes;
                if (request.Budget > bytes)
                    feed.Begin(request.Budget - bytes);
                if (feed.Receive is { } receive)
                    _awaited.Add(receive);
            }
            catch (HubException e)
            {
                Close(request.Partition.Partition.PartitionId);
                await FailAsync(request, e, cancellationToken);
            }
            catch
            {
                // Nothing says that what was received is handed over: it is received again.
                Close(request.Partition.Partition.PartitionId);
                throw;
            }
        }

        return fetched;
    }

    public override async ValueTask<bool> WaitAsync(AsyncSignal signal, TimeSpan timeout, CancellationToken cancellationToken)
    {
        Sweep();
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var signalled = signal.WaitAsync(timeout, cut.Token).AsTask();
        if (await Task.WhenAny([signalled, .. _awaited]) == signalled)
            return await signalled;
        _awaited.Clear();
        await cut.CancelAsync();
        await ((Task)signalled).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return true;
    }

    public override async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _observing;
        foreach (var partition in _feeds.Keys.ToArray())
            Close(partition);
        await Task.WhenAll(_closing);
        _end.Dispose();
    }

    /// <returns>Null when the partition can't be begun now.</returns>
    private async Task<HubFeed?> OpenAsync(string logId, FetchRequest request, CancellationToken cancellationToken)
    {
        var partition = request.Partition.Partition;
        // After a fault only an answer from after it counts: the hub may have come back as another one, long enough already for the position to lie in it.
        var current = await _log.ObserveAsync(_isDoubtful, cancellationToken);
        _isDoubtful = false;
        if (current != logId)
        {
            // The mirror says so now, and with it the leases.
            _target.Failed(request, "the hub holds another log now");
            return null;
        }

        if (HubStart.For(request.Position, await _hub.GetPartitionAsync(partition.PartitionId, cancellationToken)) is not { } start)
            throw new HubException(HubFault.PositionInvalid, $"offset {request.Position} lies beyond the end of the partition");
        if (start.Lost > 0)
            await _target.GapAsync(partition, request.Position, request.Position + start.Lost, cancellationToken);
        var feed = new HubFeed(request, _hub.OpenReceiver(_group, partition.PartitionId, start.After, isExclusive: true));
        _feeds.Add(partition.PartitionId, feed);
        return feed;
    }

    /// <returns>Bytes that were handed over.</returns>
    private async Task<long> TakeAsync(HubFeed feed, FetchRequest request, CancellationToken cancellationToken)
    {
        if (await feed.TakeAsync() is not { Count: > 0 } events)
            return 0;
        var partition = request.Partition.Partition;
        if (events[0].SequenceNumber < request.Position)
            throw new HubException(HubFault.PositionInvalid, $"sequence number {events[0].SequenceNumber} came where {request.Position} was to come");
        // The SDK may have reconnected meanwhile; what follows without a break is the same log.
        if (events[0].SequenceNumber > request.Position && await _log.ObserveAsync(isPressing: true, cancellationToken) != partition.LogId)
            throw new HubException(HubFault.PositionInvalid, "the hub holds another log now");
        await ReportGapsAsync(partition, request.Position, events, cancellationToken);
        var batch = new HubMessageBatch(partition, request.Position, [.. events.Select(HubMessages.Read)]);
        var bytes = batch.HeldBytes;
        return _target.Offer(request, batch) ? bytes : 0;
    }

    /// <summary>Sequence numbers that are left out are a gap when the partition begins after them by now; otherwise they never were.</summary>
    private async Task ReportGapsAsync(StreamPartition partition, long position, IReadOnlyList<HubEvent> events, CancellationToken cancellationToken)
    {
        long? first = null;
        foreach (var received in events)
        {
            if (received.SequenceNumber > position)
            {
                first ??= (await _hub.GetPartitionAsync(partition.PartitionId, cancellationToken)).FirstOffset;
                if (first > position)
                    await _target.GapAsync(partition, position, Math.Min(received.SequenceNumber, first.Value), cancellationToken);
            }

            position = received.SequenceNumber + 1;
        }
    }

    private async Task FailAsync(FetchRequest request, HubException fault, CancellationToken cancellationToken)
    {
        _isDoubtful = true;
        if (fault.Fault == HubFault.Disconnected)
        {
            _target.Lose(request, "another reader of the group has taken it");
            return;
        }

        _target.Failed(request, fault.Fault == HubFault.NotFound ? $"{fault.Message} (is there a consumer group '{_group}'?)" : fault.Message);
        if (fault.Fault != HubFault.PositionInvalid)
            return;
        try
        {
            await _log.ObserveAsync(isPressing: true, cancellationToken);
        }
        catch (HubException e)
        {
            LogUnobserved(_logger, _hub.Address.ToString(), e.Message);
        }
    }

    private async Task ObserveAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await _log.ObserveAsync(isPressing: false, cancellationToken);
            }
            catch (Exception e) when (e is HubException or NpgsqlException or StreamUnavailableException or TimeoutException or InvalidOperationException)
            {
                LogUnobserved(_logger, _hub.Address.ToString(), e.Message);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
            }

            await Task.Delay(s_observation, _timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Receivers of partitions that were given up, lost or rewound.</summary>
    private void Sweep()
    {
        foreach (var (partition, feed) in _feeds.ToArray())
        {
            if (!_target.IsWanted(feed.Request))
                Close(partition);
        }
    }

    private void Close(int partition)
    {
        _closing.RemoveAll(c => c.IsCompleted);
        if (_feeds.Remove(partition, out var feed))
            _closing.Add(CloseAsync(feed));
    }

    private async Task CloseAsync(HubFeed feed)
    {
        try
        {
            await feed.DisposeAsync();
        }
        catch (HubException e)
        {
            LogUnclosed(_logger, _group, feed.Request.Partition.Partition.ToString(), e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The {Hub} could not be asked about its log, it is tried again: {Fault}")]
    private static partial void LogUnobserved(ILogger logger, string hub, string fault);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Group {Group}: the receiver of {Partition} did not close: {Fault}")]
    private static partial void LogUnclosed(ILogger logger, string group, string partition, string fault);
}
