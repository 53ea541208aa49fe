using Confluent.Kafka;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Kafka;

/// <content>How partitions come, are opened at their positions, and go. Everything here runs on the polling thread, the handlers inside of a poll.</content>
internal sealed partial class KafkaMessageConsumer
{
    /// <summary>One look beyond the end can be wrong while a leader changes.</summary>
    private static readonly TimeSpan s_recheck = TimeSpan.FromSeconds(1);

    private string? _logId;

    /// <summary>The start position, from our checkpoint. A partition that can't be opened now is assigned all the same, and opened later.</summary>
    private List<TopicPartitionOffset> OnAssigned(List<TopicPartition> assigned) => assigned.ConvertAll(topicPartition =>
    {
        var partition = new PolledPartition(topicPartition.Partition.Value);
        _polledPartitions[partition.Id] = partition;
        return new TopicPartitionOffset(topicPartition, TryFind(partition) is { } position && Announce(partition, position) ? position : Offset.End);
    });

    private void OnRevoked(List<TopicPartitionOffset> revoked)
    {
        var owned = revoked.ConvertAll(r => Remove(r.Partition.Value)).OfType<OwnedPartition>().ToList();
        foreach (var partition in owned)
            _state.Revoke(partition);
        var began = _timeProvider.GetTimestamp();
        while (owned.Exists(_state.IsHeld) && !_end.IsCancellationRequested)
        {
            var rest = _longestRelease - _timeProvider.GetElapsedTime(began);
            if (rest <= TimeSpan.Zero)
                break;
            _state.Taken.WaitOne(rest);
        }

        Lose(owned, "it was not released in time");
    }

    private void OnLost(List<TopicPartitionOffset> lost) => Lose(lost.ConvertAll(l => Remove(l.Partition.Value)).OfType<OwnedPartition>(), "the brokers took it away");

    private OwnedPartition? Remove(int id)
    {
        if (!_polledPartitions.Remove(id, out var partition))
            return null;
        partition.Close();
        return partition.Owned;
    }

    private void Lose(IEnumerable<OwnedPartition> partitions, string reason)
    {
        foreach (var owned in partitions)
        {
            if (!_state.Lose(owned))
                continue;
            _telemetry.LeaseLost(_group);
            _telemetry.NoLag(_group, owned.Partition);
            LogLost(_logger, _group, owned.Partition.ToString(), reason);
        }
    }

    /// <summary>The caller wants it from its checkpoint.</summary>
    private void Reopen(OwnedPartition owned)
    {
        if (!_polledPartitions.TryGetValue(owned.Partition.PartitionId, out var partition) || partition.Owned != owned)
            return;
        partition.Close();
        partition.OpenAt = 0;
        partition.Beyond = null;
    }

    /// <summary>The caller can't take it: it stays closed until it is wanted again.</summary>
    private void Hold(OwnedPartition owned)
    {
        if (!_polledPartitions.TryGetValue(owned.Partition.PartitionId, out var partition) || partition.Owned != owned)
            return;
        Pause(partition);
        partition.Close();
        partition.OpenAt = long.MaxValue;
    }

    /// <summary>Another log stands behind the topic's name.</summary>
    private void MoveTo(string logId)
    {
        _logId = logId;
        foreach (var partition in _polledPartitions.Values)
        {
            partition.Beyond = null;
            if (partition.Owned is not { } owned || owned.Partition.LogId == logId)
                continue;
            partition.Close();
            partition.Owned = null;
            partition.OpenAt = 0;
            Lose([owned], "its log is gone");
        }
    }

    private void Open(PolledPartition partition)
    {
        if (TryFind(partition) is not { } position)
            return;
        try
        {
            SeekTo(partition, position);
            Announce(partition, position);
        }
        catch (KafkaException e)
        {
            Postpone(partition, "seeking", e.Error.Reason);
        }
    }

    /// <returns>Where to go on, or null when that can't be said now: it is tried again.</returns>
    private long? TryFind(PolledPartition partition)
    {
        try
        {
            return FindAsync(partition).GetAwaiter().GetResult();
        }
        catch (Exception e) when (!_end.IsCancellationRequested)
        {
            Postpone(partition, "finding the position", e.Message);
        }
        catch (Exception)
        {
            // The consumer ends.
        }

        return null;
    }

    private async Task<long?> FindAsync(PolledPartition partition)
    {
        var log = await _topology.GetAsync(_end.Token);
        if (_logId != log.LogId)
            MoveTo(log.LogId);
        var seen = (await _log.ReadOffsetsAsync([partition.Id], _end.Token))[partition.Id];
        var streamPartition = new StreamPartition(_topic, log.LogId, partition.Id);
        var (position, lost) = await _positions.OpenAsync(streamPartition, seen.FirstOffset, _end.Token);
        if (lost > 0)
        {
            _telemetry.Gap(_group, lost);
            LogGap(_logger, _group, position - lost, position, streamPartition.ToString());
        }

        var reached = Math.Max(position, partition.Beyond ?? 0);
        if (reached <= seen.NextOffset)
        {
            partition.Beyond = null;
            return position;
        }

        if (partition.Beyond is null)
        {
            partition.Beyond = reached;
            OpenIn(partition, s_recheck);
            return null;
        }

        LogBeyond(_logger, _group, streamPartition.ToString(), seen.NextOffset, reached);
        await _log.RenewAsync(log.LogId, log.Partitions, _end.Token);
        partition.Beyond = null;
        OpenIn(partition, TimeSpan.Zero);
        return null;
    }

    /// <returns>False when the consumer is stopping.</returns>
    private bool Announce(PolledPartition partition, long position)
    {
        var streamPartition = new StreamPartition(_topic, _logId!, partition.Id);
        if (partition.Owned is not { } owned || !_state.Reassign(owned, position))
            partition.Owned = _state.Assign(streamPartition, position);
        if (partition.Owned is null)
            return false;
        partition.Generation = _state.GenerationOf(partition.Owned);
        partition.Next = position;
        partition.Faults = 0;
        partition.IsOpen = true;
        LogAssigned(_logger, _group, streamPartition.ToString(), position);
        return true;
    }

    private void Postpone(PolledPartition partition, string what, string fault)
    {
        LogFault(_logger, _group, $"{what} of {_topic}/{partition.Id}", fault);
        OpenIn(partition, Backoff(partition.Faults++));
    }

    private void OpenIn(PolledPartition partition, TimeSpan time) => partition.OpenAt = _timeProvider.GetTimestamp() + (long)(time.TotalSeconds * _timeProvider.TimestampFrequency);

    private void OnConsumeError(ConsumeException e)
    {
        if (e.Error.Code is not (ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange or ErrorCode.Local_LogTruncation))
        {
            LogFault(_logger, _group, "reading", e.Error.Reason);
            return;
        }

        if (e.ConsumerRecord?.Partition.Value is not { } id || !_polledPartitions.TryGetValue(id, out var partition) || !partition.IsOpen)
            return;
        Flush(partition);
        try
        {
            PassGapAsync(partition).GetAwaiter().GetResult();
        }
        catch (Exception fault) when (!_end.IsCancellationRequested)
        {
            // From the checkpoint again, as soon as that can be found.
            LogFault(_logger, _group, $"going on with {_topic}/{id}", fault.Message);
            Restart(partition, partition.Next);
        }
    }

    /// <summary>The position lies outside of the log: before its beginning, where retention was faster, or beyond its end.</summary>
    private async Task PassGapAsync(PolledPartition partition)
    {
        var seen = (await _log.ReadOffsetsAsync([partition.Id], _end.Token))[partition.Id];
        var log = await _topology.GetAsync(_end.Token);
        var known = partition.Owned!.Partition;
        if (log.LogId != known.LogId)
        {
            MoveTo(log.LogId);
        }
        else if (partition.Next < seen.FirstOffset)
        {
            if (await _positions.RecordGapAsync(known, partition.Next, seen.FirstOffset, _end.Token))
            {
                _telemetry.Gap(_group, seen.FirstOffset - partition.Next);
                LogGap(_logger, _group, partition.Next, seen.FirstOffset, known.ToString());
            }

            // The next batch begins where the last one ended, and holds nothing of the gap.
            SeekTo(partition, seen.FirstOffset);
        }
        else if (partition.Next <= seen.NextOffset)
        {
            SeekTo(partition, partition.Next);
        }
        else
        {
            Restart(partition, partition.Next);
            OpenIn(partition, s_recheck);
        }
    }

    /// <summary>What was handed out stands; what follows is found anew.</summary>
    private void Restart(PolledPartition partition, long reached)
    {
        if (_state.BeginRewind(partition.Owned!.Partition) is not { } owned)
            return;
        Reopen(owned);
        partition.Beyond = reached;
    }
}
