using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults.Instances;

/// <summary>All instances of a run.</summary>
internal sealed class Cluster(RunPlace place) : IAsyncDisposable
{
    private const int MostOfARole = 4;

    private readonly CancellationTokenSource _stop = new();
    private readonly List<(InstanceSlot Slot, Task Running)> _slots = [];

    public InstanceSlot Slot(InstanceRole role, int index)
    {
        lock (_slots)
        {
            var mine = _slots.Where(s => s.Slot.Role == role).ToList();
            return mine[index % mine.Count].Slot;
        }
    }

    public void Add(InstanceRole role)
    {
        lock (_slots)
        {
            var count = _slots.Count(s => s.Slot.Role == role);
            if (count == MostOfARole)
                return;
            var slot = new InstanceSlot(place, role, count);
            _slots.Add((slot, Task.Run(() => slot.RunAsync(_stop.Token))));
        }
    }

    /// <summary>Kills whatever runs, and fresh incarnations follow; but what is paused wakes up later, among them.</summary>
    public void KillAwake()
    {
        lock (_slots)
        {
            foreach (var (slot, _) in _slots)
            {
                if (slot.Current is { IsPaused: false } instance)
                    _ = instance.Kill();
            }
        }
    }

    /// <summary>Kills all of them; nothing takes their places.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_slots.Select(s => s.Running));
    }
}
