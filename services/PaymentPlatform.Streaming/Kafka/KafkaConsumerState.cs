using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>
/// What waits for a consumer's caller. The polling thread and the caller meet here, under one lock and never for long.
/// Announcements come before batches, and a batch counts only while its partition's generation stands: so nothing follows a revocation, a loss or a rewind.
/// </summary>
internal sealed class KafkaConsumerState(long prefetchBytes, long prefetchBytesPerPartition) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, OwnedPartition> _partitions = [];
    private readonly Queue<(OwnedPartition Owner, ConsumerEvent Event)> _announcements = new();
    private readonly Queue<(OwnedPartition Owner, int Generation, KafkaMessageBatch Batch)> _batches = new();
    private long _bufferedBytes;
    private bool _stopping;

    /// <summary>Something waits for the caller.</summary>
    public AsyncSignal Events { get; } = new();

    /// <summary>The caller took or released something.</summary>
    public AutoResetEvent Taken { get; } = new(false);

    public bool IsStopping
    {
        get
        {
            lock (_gate)
                return _stopping;
        }
    }

    public bool IsStopped
    {
        get
        {
            lock (_gate)
                return _stopping && _partitions.Count == 0;
        }
    }

    /// <summary>Those that the caller has been told of and has not given up.</summary>
    public List<StreamPartition> Owned
    {
        get
        {
            lock (_gate)
                return [.. _partitions.Values.Select(p => p.Partition)];
        }
    }

    /// <summary>What comes next for the caller, or null.</summary>
    public ConsumerEvent? Take()
    {
        lock (_gate)
        {
            while (_announcements.TryDequeue(out var next))
            {
                if (!next.Owner.IsReleased)
                    return next.Event;
            }

            while (_batches.TryDequeue(out var next))
            {
                _bufferedBytes -= next.Batch.HeldBytes;
                next.Owner.BufferedBytes -= next.Batch.HeldBytes;
                Taken.Set();
                if (next.Generation == next.Owner.Generation)
                    return new ConsumerEvent.Received(next.Batch);
                next.Batch.Dispose();
            }

            return null;
        }
    }

    /// <returns>Null once the consumer is stopping.</returns>
    public OwnedPartition? Assign(StreamPartition partition, long position)
    {
        lock (_gate)
        {
            if (_stopping)
                return null;
            var owned = new OwnedPartition(partition);
            _partitions[partition.PartitionId] = owned;
            Announce(owned, new ConsumerEvent.Assigned(partition, position));
            return owned;
        }
    }

    /// <summary>It is read anew from a position.</summary>
    /// <returns>False when it isn't the caller's any more.</returns>
    public bool Reassign(OwnedPartition owned, long position)
    {
        lock (_gate)
        {
            if (!Has(owned) || owned.IsRevoking)
                return false;
            Announce(owned, new ConsumerEvent.Assigned(owned.Partition, position));
            return true;
        }
    }

    /// <summary>Nothing that was read before is handed out after this.</summary>
    /// <returns>The partition, or null when it isn't the caller's any more or on its way out.</returns>
    public OwnedPartition? BeginRewind(StreamPartition partition)
    {
        lock (_gate)
        {
            if (!_partitions.TryGetValue(partition.PartitionId, out var owned) || owned.Partition != partition)
                return null;
            owned.Generation++;
            return owned.IsRevoking ? null : owned;
        }
    }

    public int GenerationOf(OwnedPartition owned)
    {
        lock (_gate)
            return owned.Generation;
    }

    /// <returns>False when it wasn't the caller's any more.</returns>
    public bool Release(StreamPartition partition)
    {
        lock (_gate)
        {
            if (!_partitions.TryGetValue(partition.PartitionId, out var owned) || owned.Partition != partition)
                return false;
            owned.IsReleased = true;
            owned.Generation++;
            _partitions.Remove(partition.PartitionId);
            Taken.Set();
            Events.Set();
            return true;
        }
    }

    /// <summary>The partition is to go to another owner.</summary>
    public void Revoke(OwnedPartition owned)
    {
        lock (_gate)
        {
            if (Has(owned) && !owned.IsRevoking)
                RevokeLocked(owned);
        }
    }

    /// <summary>False once the caller has released it, or it is lost.</summary>
    public bool IsHeld(OwnedPartition owned)
    {
        lock (_gate)
            return Has(owned);
    }

    /// <returns>False when it wasn't the caller's any more.</returns>
    public bool Lose(OwnedPartition owned)
    {
        lock (_gate)
        {
            if (!Has(owned))
                return false;
            owned.Generation++;
            _partitions.Remove(owned.Partition.PartitionId);
            Announce(owned, new ConsumerEvent.Lost(owned.Partition));
            return true;
        }
    }

    public void Stop()
    {
        lock (_gate)
        {
            _stopping = true;
            foreach (var owned in _partitions.Values.Where(p => !p.IsRevoking))
                RevokeLocked(owned);
            Events.Set();
            Taken.Set();
        }
    }

    /// <summary>Everything ends here and now.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _stopping = true;
            _partitions.Clear();
            _announcements.Clear();
            while (_batches.TryDequeue(out var next))
                next.Batch.Dispose();
            _bufferedBytes = 0;
            Events.Set();
            Taken.Set();
        }
    }

    /// <summary>Takes a batch over.</summary>
    /// <returns>False when it is not wanted any more: it is disposed then.</returns>
    public bool Offer(OwnedPartition owned, int generation, KafkaMessageBatch batch)
    {
        lock (_gate)
        {
            if (owned.Generation != generation || _stopping)
            {
                batch.Dispose();
                return false;
            }

            owned.BufferedBytes += batch.HeldBytes;
            _bufferedBytes += batch.HeldBytes;
            _batches.Enqueue((owned, generation, batch));
            Events.Set();
            return true;
        }
    }

    /// <summary>No room for more, of this partition or at all.</summary>
    public bool IsFull(OwnedPartition owned)
    {
        lock (_gate)
            return _bufferedBytes >= prefetchBytes || owned.BufferedBytes >= prefetchBytesPerPartition;
    }

    /// <summary>Room enough to begin again after it was full.</summary>
    public bool HasRoom(OwnedPartition owned)
    {
        lock (_gate)
            return _bufferedBytes <= prefetchBytes / 2 && owned.BufferedBytes <= prefetchBytesPerPartition / 2;
    }

    public void Dispose()
    {
        Taken.Dispose();
        Events.Dispose();
    }

    private bool Has(OwnedPartition owned) => _partitions.TryGetValue(owned.Partition.PartitionId, out var known) && known == owned;

    private void RevokeLocked(OwnedPartition owned)
    {
        owned.Generation++;
        owned.IsRevoking = true;
        Announce(owned, new ConsumerEvent.Revoking(owned.Partition));
    }

    private void Announce(OwnedPartition owned, ConsumerEvent announcement)
    {
        _announcements.Enqueue((owned, announcement));
        Events.Set();
    }
}
