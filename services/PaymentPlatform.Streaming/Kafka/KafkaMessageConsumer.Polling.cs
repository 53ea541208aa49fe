using Confluent.Kafka;

namespace PaymentPlatform.Streaming.Kafka;

/// <content>The polling thread: everything here runs on it, the handlers inside of a poll.</content>
internal sealed partial class KafkaMessageConsumer
{
    private const int IdleMilliseconds = 100;

    /// <summary>Messages are put together up to here, so that the caller gets fewer, larger batches.</summary>
    private const int MergedBytes = 2 << 20;
    private const int MergedMessages = 10_000;
    private const int MergedMilliseconds = 10;

    /// <summary>A caller that takes longer than this makes us give back what librdkafka has read ahead.</summary>
    private static readonly TimeSpan s_roomWait = TimeSpan.FromMilliseconds(250);

    private readonly SortedDictionary<int, PolledPartition> _polledPartitions = [];

    private void Poll()
    {
        try
        {
            _consumer.Subscribe(_topic);
            for (var (isBusy, faults) = (false, 0); !_end.IsCancellationRequested && !_state.IsStopped;)
            {
                try
                {
                    Serve();
                    isBusy = TryStep(isBusy ? 0 : IdleMilliseconds);
                    faults = 0;
                }
                catch (Exception e) when (!_end.IsCancellationRequested)
                {
                    LogFault(_logger, _group, "polling", e.Message);
                    _end.Token.WaitHandle.WaitOne(Backoff(faults++));
                }
            }
        }
        catch (Exception) when (_end.IsCancellationRequested)
        {
            // What is left ends below.
        }
        finally
        {
            Leave();
            _polled.TrySetResult();
        }
    }

    private void Leave()
    {
        foreach (var partition in _polledPartitions.Values)
            partition.Close();
        try
        {
            if (!_leavesSilently)
                _consumer.Close();
        }
        catch (KafkaException e)
        {
            LogFault(_logger, _group, "leaving the group", e.Error.Reason);
        }

        _consumer.Dispose();
    }

    /// <summary>What there is to do between two polls.</summary>
    private void Serve()
    {
        while (_commands.TryDequeue(out var command))
            command();
        var isStopping = _state.IsStopping;
        foreach (var partition in _polledPartitions.Values)
        {
            if (isStopping)
                Pause(partition);
            else if (!partition.IsOpen && _timeProvider.GetTimestamp() >= partition.OpenAt)
                Open(partition);
            else if (partition is { IsOpen: true, IsPaused: true } && _state.HasRoom(partition.Owned!))
                SeekTo(partition, partition.Next);
        }
    }

    /// <inheritdoc cref="Step"/>
    private bool TryStep(int milliseconds)
    {
        try
        {
            return Step(milliseconds);
        }
        catch (ConsumeException e)
        {
            OnConsumeError(e);
            return false;
        }
    }

    /// <returns>True when there may be more at once.</returns>
    private bool Step(int milliseconds)
    {
        _scratch.Clear();
        var result = _consumer.Consume(milliseconds);
        if (result is null)
        {
            foreach (var each in _polledPartitions.Values)
                Flush(each);
            return false;
        }

        if (!_polledPartitions.TryGetValue(result.Partition.Value, out var partition) || !partition.IsOpen)
            return true;
        if (result.IsPartitionEOF)
        {
            if (result.Offset.Value > partition.Next)
            {
                Begin(partition).SkipTo(result.Offset.Value);
                partition.Next = result.Offset.Value;
            }

            Flush(partition);
            return true;
        }

        if (result.Offset.Value < partition.Next)
            return true;
        var batch = Begin(partition);
        batch.Append(result, _scratch, _headers);
        partition.Next = batch.NextOffset;
        if (batch.HeldBytes >= MergedBytes || batch.Count >= MergedMessages || Environment.TickCount64 - partition.BatchBegan >= MergedMilliseconds)
            Flush(partition);
        return true;
    }

    private static KafkaMessageBatch Begin(PolledPartition partition)
    {
        if (partition.Batch is null)
        {
            partition.Batch = new(partition.Owned!.Partition, partition.Next);
            partition.BatchBegan = Environment.TickCount64;
        }

        return partition.Batch;
    }

    private void Flush(PolledPartition partition)
    {
        if (partition.Batch is not { } batch)
            return;
        partition.Batch = null;
        if (_state.Offer(partition.Owned!, partition.Generation, batch) && _state.IsFull(partition.Owned!))
            AwaitRoom(partition);
    }

    /// <summary>Most callers make room in a moment. For the others the partition is paused, and polling, which the group's membership hangs on, goes on.</summary>
    private void AwaitRoom(PolledPartition partition)
    {
        var began = _timeProvider.GetTimestamp();
        while (_state.IsFull(partition.Owned!))
        {
            var rest = s_roomWait - _timeProvider.GetElapsedTime(began);
            if (rest <= TimeSpan.Zero)
            {
                Pause(partition);
                return;
            }

            _state.Taken.WaitOne(rest);
            if (_end.IsCancellationRequested || _state.IsStopping)
                return;
        }
    }

    private void Pause(PolledPartition partition)
    {
        if (partition.IsPaused)
            return;
        _consumer.Pause([new(_topic, partition.Id)]);
        partition.IsPaused = true;
    }

    /// <summary>Reading goes on there; what librdkafka read before is void.</summary>
    private void SeekTo(PolledPartition partition, long offset)
    {
        if (partition.IsPaused)
        {
            _consumer.Resume([new(_topic, partition.Id)]);
            partition.IsPaused = false;
        }

        var position = new TopicPartitionOffset(_topic, partition.Id, offset);
        try
        {
            _consumer.Seek(position);
        }
        catch (KafkaException e) when (e.Error.Code == ErrorCode.Local_State)
        {
            // After an offset that was out of range librdkafka has stopped the partition for good.
            _consumer.IncrementalUnassign([position.TopicPartition]);
            _consumer.IncrementalAssign([position]);
        }
    }
}
