using PaymentPlatform.Streaming.EventHubs;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

/// <summary>
/// A hub in memory, as strict as the service: positions that are not in the log are refused, a later exclusive reader ends an earlier one, batches have a size, a send that fails may be in.
/// The service itself can't run here; its emulator runs under the AppHost's tests.
/// </summary>
internal sealed class MemoryHub(int partitions)
{
    /// <summary>What the Standard tier takes in one go.</summary>
    public const int MaxBatchBytes = 1 << 20;

    public const int EventOverhead = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Group, int Partition), MemoryReceiver> _exclusive = [];
    private List<HubEvent>[] _events = Empty(partitions);
    private long[] _first = new long[partitions];
    private long[] _next = new long[partitions];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DateTimeOffset CreatedOn { get; private set; } = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    public int Partitions => _events.Length;

    /// <summary>The hub as a service that can't be reached, or does not know it.</summary>
    public HubFault? Fault { get; set; }

    /// <summary>Grows with each cut of the senders' connections.</summary>
    public int Cuts { get; private set; }

    /// <summary>Grows whenever the log is another one.</summary>
    public int Incarnation { get; private set; }

    /// <summary>Deleted and made again.</summary>
    public void Recreate()
    {
        CreatedOn = CreatedOn.AddMinutes(1);
        Forget();
    }

    /// <summary>Loses its events, and says that it is the same hub as before.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            (_events, _first, _next) = (Empty(partitions), new long[partitions], new long[partitions]);
            Incarnation++;
            Signal();
        }
    }

    /// <summary>Retention: nothing below <paramref name="first"/> is held any more.</summary>
    public void Trim(int partition, long first)
    {
        lock (_gate)
        {
            _events[partition].RemoveAll(e => e.SequenceNumber < first);
            _first[partition] = first;
        }
    }

    /// <summary>The next sequence number, as the service may skip some.</summary>
    public void Skip(int partition, long count)
    {
        lock (_gate)
            _next[partition] += count;
    }

    public void CutSenders()
    {
        lock (_gate)
            Cuts++;
    }

    public HubPartition Describe(int partition)
    {
        lock (_gate)
            return HubPartition.From(_events[partition].Count == 0, _first[partition], _next[partition] - 1);
    }

    public void Append(int partition, params IEnumerable<HubEvent> events)
    {
        lock (_gate)
        {
            foreach (var e in events)
                _events[partition].Add(e with { SequenceNumber = _next[partition]++, EnqueuedAt = DateTimeOffset.UtcNow });
            Signal();
        }
    }

    /// <summary>An exclusive reader ends the one before it.</summary>
    public void Connect(MemoryReceiver receiver)
    {
        lock (_gate)
        {
            var (first, next) = (_first[receiver.Partition], _next[receiver.Partition]);
            if (receiver.After is { } after && (after >= next || after < first))
                throw new HubException(HubFault.PositionInvalid, $"The supplied sequence number '{after}' is invalid. The last sequence number in the system is '{next - 1}'");
            if (receiver.IsExclusive)
                _exclusive[(receiver.Group, receiver.Partition)] = receiver;
            else if (_exclusive.ContainsKey((receiver.Group, receiver.Partition)))
                throw new HubException(HubFault.Disconnected, "At least one receiver for the endpoint is created with epoch");
            Signal();
        }
    }

    public void Disconnect(MemoryReceiver receiver)
    {
        lock (_gate)
        {
            if (_exclusive.GetValueOrDefault((receiver.Group, receiver.Partition)) == receiver)
                _exclusive.Remove((receiver.Group, receiver.Partition));
        }
    }

    /// <returns>What follows, and a task that ends when there may be more.</returns>
    public (List<HubEvent> Events, Task Changed) Read(MemoryReceiver receiver, long after, int maximum)
    {
        lock (_gate)
        {
            if (receiver.IsExclusive && _exclusive.GetValueOrDefault((receiver.Group, receiver.Partition)) != receiver)
                throw new HubException(HubFault.Disconnected, "New receiver with higher epoch of '0' is created hence current receiver with epoch '0' is getting disconnected.");
            return ([.. _events[receiver.Partition].SkipWhile(e => e.SequenceNumber <= after).Take(maximum)], _changed.Task);
        }
    }

    private void Signal()
    {
        var changed = _changed;
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    private static List<HubEvent>[] Empty(int partitions) => [.. Enumerable.Range(0, partitions).Select(_ => new List<HubEvent>())];
}
