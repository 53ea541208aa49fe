using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.BlobArchiver;

/// <summary>
/// What was read, what of it is in the buffer that fills, what is in the file under way; from that, when to flush and what to read again. No I/O.
/// <para>Per partition the file under way ends where the filling buffer begins, and that ends where reading goes on.</para>
/// </summary>
internal sealed class ArchivePlan(ArchiverOptions options, TimeProvider timeProvider)
{
    private readonly Dictionary<StreamPartition, long> _read = [];
    private readonly Dictionary<StreamPartition, OffsetRange> _filling = [];
    private OffsetRange[] _underWay = [];
    private long _openedAt;

    public bool IsEmpty => _filling.Count == 0;

    public bool IsFlushing => _underWay.Length > 0;

    public bool Holds(StreamPartition partition) => _read.ContainsKey(partition);

    public bool IsFilling(StreamPartition partition) => _filling.ContainsKey(partition);

    public bool IsUnderWay(StreamPartition partition) => Array.Exists(_underWay, r => r.Partition == partition);

    /// <summary>The partition is read from <paramref name="next"/> on; nothing is held for it.</summary>
    public void Assign(StreamPartition partition, long next) => _read[partition] = next;

    /// <summary>Takes no more of the partition; what is held for it stays, to be flushed or discarded.</summary>
    public void Drop(StreamPartition partition) => _read.Remove(partition);

    /// <summary>True when a batch that starts at <paramref name="offset"/> is the one that follows.</summary>
    public bool Follows(StreamPartition partition, long offset) => _read.TryGetValue(partition, out var next) && next == offset;

    /// <summary>Everything of the partition below <paramref name="next"/> is in the filling buffer or before it.</summary>
    public void Extend(StreamPartition partition, long next)
    {
        var from = _read[partition];
        if (next <= from)
            return;
        if (_filling.Count == 0)
            _openedAt = timeProvider.GetTimestamp();
        _filling[partition] = _filling.TryGetValue(partition, out var range) ? range with { To = next } : new(partition, from, next);
        _read[partition] = next;
    }

    /// <summary>The limit that the filling buffer has reached by its size, if any.</summary>
    public FlushReason? Full(int rows, long bytes) =>
        rows >= options.FlushRows ? FlushReason.Rows
        : bytes >= options.FlushBytes ? FlushReason.Bytes
        : null;

    /// <summary>How long until the filling buffer is due by its age: zero when it is, null while there is nothing to flush or a file is still under way.</summary>
    public TimeSpan? UntilDue()
    {
        if (IsEmpty || IsFlushing)
            return null;
        var left = options.FlushAge - timeProvider.GetElapsedTime(_openedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>The filling buffer becomes the file under way.</summary>
    /// <returns>Its ranges, in key order.</returns>
    public OffsetRange[] Begin()
    {
        if (IsFlushing || IsEmpty)
            throw new InvalidOperationException("A flush needs something to flush, and no other flush under way.");
        _underWay = [.. _filling.Values.OrderBy(r => r.Partition)];
        _filling.Clear();
        return _underWay;
    }

    /// <summary>The file is live.</summary>
    /// <returns>Partitions whose reading does not go on where the file ends (they went and came back meanwhile): discard the filling buffer, and read them again.</returns>
    public IReadOnlyList<StreamPartition> Complete()
    {
        var outOfStep = _underWay.Where(r => _read.TryGetValue(r.Partition, out var read) && (_filling.TryGetValue(r.Partition, out var filling) ? filling.From : read) != r.To)
            .Select(r => r.Partition).ToList();
        _underWay = [];
        return outOfStep;
    }

    /// <summary>The file is abandoned, and the filling buffer with it: it follows on offsets that were not committed.</summary>
    /// <returns>The partitions to read again from their checkpoints, in key order; no batch of them is taken until they are assigned anew.</returns>
    public IReadOnlyList<StreamPartition> Abandon()
    {
        var again = _underWay.Select(r => r.Partition).Concat(_filling.Keys).Distinct().Where(_read.ContainsKey).Order().ToList();
        _underWay = [];
        _filling.Clear();
        return Forget(again);
    }

    /// <summary>Discards the filling buffer. Only while no file is under way: the checkpoints to go back to would not be settled.</summary>
    /// <returns>As <see cref="Abandon"/>, with <paramref name="also"/>.</returns>
    public IReadOnlyList<StreamPartition> Discard(IEnumerable<StreamPartition> also)
    {
        if (IsFlushing)
            throw new InvalidOperationException("The file under way has to end first.");
        var again = _filling.Keys.Where(_read.ContainsKey).Concat(also).Distinct().Order().ToList();
        _filling.Clear();
        return Forget(again);
    }

    private List<StreamPartition> Forget(List<StreamPartition> partitions)
    {
        foreach (var partition in partitions)
            _read.Remove(partition);
        return partitions;
    }
}
