using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Leasing;

/// <summary>
/// A consumer's partitions and what waits for its caller. Leases, fetches and the caller meet here, under one lock and never for long.
/// Announcements come before batches, and a batch counts only while its partition's generation stands: so nothing follows a revocation, a loss or a rewind.
/// </summary>
internal sealed class ConsumerState(TimeProvider timeProvider, long prefetchBytes, long prefetchBytesPerPartition)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, ConsumedPartition> _partitions = [];
    private readonly Queue<(ConsumedPartition Owner, ConsumerEvent Event)> _announcements = new();
    private readonly Queue<(ConsumedPartition Owner, int Generation, MessageBatch Batch)> _batches = new();
    private long _bufferedBytes;
    private long _validUntil;
    private bool _stopping;

    /// <summary>Something waits for the caller.</summary>
    public AsyncSignal Events { get; } = new();

    /// <summary>There may be something to fetch, or room for it.</summary>
    public AsyncSignal Fetch { get; } = new();

    /// <summary>Leases should be looked at now.</summary>
    public AsyncSignal Leases { get; } = new();

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

    public int[] Held
    {
        get
        {
            lock (_gate)
                return [.. _partitions.Keys];
        }
    }

    /// <summary>What comes next for the caller, or null.</summary>
    public ConsumerEvent? Take(out int lost)
    {
        lock (_gate)
        {
            lost = ExpireLocked();
            while (_announcements.TryDequeue(out var next))
            {
                if (!next.Owner.IsReleased)
                    return next.Event;
            }

            while (_batches.TryDequeue(out var next))
            {
                var wasFull = _bufferedBytes >= prefetchBytes || next.Owner.BufferedBytes >= prefetchBytesPerPartition;
                _bufferedBytes -= next.Batch.HeldBytes;
                next.Owner.BufferedBytes -= next.Batch.HeldBytes;
                if (wasFull)
                    Fetch.Set();
                if (next.Generation == next.Owner.Generation)
                    return new ConsumerEvent.Received(next.Batch);
                next.Batch.Dispose();
            }

            return null;
        }
    }

    /// <summary>The leases are good for so long, by the local clock.</summary>
    public void Renewed(long validUntil)
    {
        lock (_gate)
            _validUntil = validUntil;
    }

    /// <returns>How many partitions are lost because the leases could not be renewed in time.</returns>
    public int Expire()
    {
        lock (_gate)
            return ExpireLocked();
    }

    /// <summary>Drops what is no longer ours, and announces what goes beyond <paramref name="target"/>.</summary>
    /// <returns>The partitions that were dropped.</returns>
    public List<StreamPartition> Reconcile(string? logId, IReadOnlySet<int> leased, int target)
    {
        lock (_gate)
        {
            var dropped = _partitions.Values.Where(p => p.Partition.LogId != logId || !leased.Contains(p.Partition.PartitionId)).ToList();
            foreach (var partition in dropped)
                LoseLocked(partition);
            // The largest ids go first; those that are on their way already count as gone.
            var surplus = _partitions.Count - target - _partitions.Values.Count(p => p.IsRevoking);
            foreach (var partition in _partitions.Values.Reverse().Where(p => !p.IsRevoking).Take(Math.Max(surplus, 0)))
                RevokeLocked(partition);
            return [.. dropped.Select(p => p.Partition)];
        }
    }

    public void Assign(StreamPartition partition, long position)
    {
        lock (_gate)
        {
            if (_stopping)
                return;
            var consumed = new ConsumedPartition(partition, position);
            _partitions[partition.PartitionId] = consumed;
            Announce(consumed, new ConsumerEvent.Assigned(partition, position));
        }
    }

    /// <summary>Nothing that was fetched before is handed out after this.</summary>
    /// <returns>The partition and its generation, or null when it isn't ours any more or on its way out.</returns>
    public (ConsumedPartition Partition, int Generation)? BeginRewind(StreamPartition partition)
    {
        lock (_gate)
        {
            if (!_partitions.TryGetValue(partition.PartitionId, out var consumed) || consumed.Partition != partition)
                return null;
            consumed.Generation++;
            if (consumed.IsRevoking)
                return null;
            consumed.IsHeld = true;
            return (consumed, consumed.Generation);
        }
    }

    public void EndRewind(ConsumedPartition consumed, int generation, long? position)
    {
        lock (_gate)
        {
            if (consumed.Generation != generation)
                return;
            if (position is not { } next)
            {
                LoseLocked(consumed);
                return;
            }

            consumed.Position = next;
            consumed.IsHeld = false;
            consumed.Faults = 0;
            consumed.RetryAt = 0;
            Announce(consumed, new ConsumerEvent.Assigned(consumed.Partition, next));
        }
    }

    /// <returns>False when it wasn't ours any more.</returns>
    public bool Release(StreamPartition partition)
    {
        lock (_gate)
        {
            if (!_partitions.TryGetValue(partition.PartitionId, out var consumed) || consumed.Partition != partition)
                return false;
            consumed.IsReleased = true;
            consumed.Generation++;
            _partitions.Remove(partition.PartitionId);
            Events.Set();
            Fetch.Set();
            return true;
        }
    }

    public void Stop()
    {
        lock (_gate)
        {
            _stopping = true;
            foreach (var partition in _partitions.Values.Where(p => !p.IsRevoking))
                RevokeLocked(partition);
            Events.Set();
            Leases.Set();
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
        }
    }

    /// <summary>The partitions that there is room for, with the bytes that they may take.</summary>
    public List<FetchRequest> Wanted()
    {
        lock (_gate)
        {
            var wanted = new List<FetchRequest>(_partitions.Count);
            if (_stopping || _bufferedBytes >= prefetchBytes)
                return wanted;
            var now = timeProvider.GetTimestamp();
            var free = prefetchBytes - _bufferedBytes;
            foreach (var p in _partitions.Values)
            {
                if (!p.IsHeld && p.BufferedBytes < prefetchBytesPerPartition && p.RetryAt <= now)
                    wanted.Add(new(p, p.Generation, p.Position, Math.Min(prefetchBytesPerPartition - p.BufferedBytes, free)));
            }

            // Each at least one record batch; together no more than there is room for.
            return wanted.Count < 2 ? wanted : [.. wanted.Select(w => w with { Budget = Math.Max(1, Math.Min(w.Budget, free / wanted.Count)) })];
        }
    }

    /// <summary>Takes a fetched batch over.</summary>
    /// <returns>False when it is not wanted any more: it is disposed then.</returns>
    public bool Offer(FetchRequest request, MessageBatch batch)
    {
        lock (_gate)
        {
            if (request.Partition.Generation != request.Generation || request.Partition.IsHeld)
            {
                batch.Dispose();
                return false;
            }

            request.Partition.Position = batch.NextOffset;
            request.Partition.Faults = 0;
            request.Partition.BufferedBytes += batch.HeldBytes;
            _bufferedBytes += batch.HeldBytes;
            _batches.Enqueue((request.Partition, request.Generation, batch));
            Events.Set();
            return true;
        }
    }

    public bool IsWanted(FetchRequest request)
    {
        lock (_gate)
            return request.Partition.Generation == request.Generation;
    }

    /// <summary>Another reader has it.</summary>
    /// <returns>False when the request did not stand any more.</returns>
    public bool Lose(FetchRequest request)
    {
        lock (_gate)
        {
            if (request.Partition.Generation != request.Generation)
                return false;
            LoseLocked(request.Partition);
            return true;
        }
    }

    /// <summary>The next record batch can't be read: the partition is left alone for a while.</summary>
    /// <returns>For how long.</returns>
    public TimeSpan Postpone(FetchRequest request)
    {
        lock (_gate)
        {
            var pause = TimeSpan.FromSeconds(Math.Min(1 << Math.Min(request.Partition.Faults++, 5), 30));
            request.Partition.RetryAt = timeProvider.GetTimestamp() + (long)(pause.TotalSeconds * timeProvider.TimestampFrequency);
            return pause;
        }
    }

    private int ExpireLocked()
    {
        if (_partitions.Count == 0 || timeProvider.GetTimestamp() < _validUntil)
            return 0;
        var lost = _partitions.Values.ToList();
        foreach (var partition in lost)
            LoseLocked(partition);
        Leases.Set();
        return lost.Count;
    }

    private void LoseLocked(ConsumedPartition partition)
    {
        partition.Generation++;
        partition.IsHeld = true;
        _partitions.Remove(partition.Partition.PartitionId);
        Announce(partition, new ConsumerEvent.Lost(partition.Partition));
    }

    private void RevokeLocked(ConsumedPartition partition)
    {
        partition.Generation++;
        partition.IsHeld = true;
        partition.IsRevoking = true;
        Announce(partition, new ConsumerEvent.Revoking(partition.Partition));
    }

    private void Announce(ConsumedPartition partition, ConsumerEvent announcement)
    {
        _announcements.Enqueue((partition, announcement));
        Events.Set();
        Fetch.Set();
    }
}
