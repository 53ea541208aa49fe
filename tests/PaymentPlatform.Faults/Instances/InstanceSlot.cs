using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults.Instances;

/// <summary>A place of a role where one instance runs; when it is gone, the next incarnation takes its place after a while, as under a container platform.</summary>
internal sealed class InstanceSlot(RunPlace place, InstanceRole role, int index)
{
    private readonly Random _delays = place.Scenario.RandomFor($"restart/{role}/{index}");
    private volatile TaskCompletionSource<Instance> _current = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _incarnation;

    public InstanceRole Role => role;

    /// <summary>The one that runs now; null while there is none.</summary>
    public Instance? Current => _current.Task is { IsCompletedSuccessfully: true, Result: { IsGone: false } current } ? current : null;

    /// <summary>Waits for one that runs.</summary>
    public async Task<Instance> GetAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var instance = await _current.Task.WaitAsync(cancellationToken);
            if (!instance.IsGone)
                return instance;
            await Task.Delay(10, cancellationToken);
        }
    }

    /// <summary>Starts instances until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await KeepRunningAsync(stop);
        }
        catch (Exception e)
        {
            place.Log.Add($"{role}-{index}", $"can't be started: {e}");
            _current.TrySetException(e);
            throw;
        }
    }

    private async Task KeepRunningAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var name = $"{role}-{index}.{_incarnation++}";
            var instance = await Instance.StartAsync(place, role, name);
            place.Log.Add(name, "started");
            _current.TrySetResult(instance);
            using (var either = CancellationTokenSource.CreateLinkedTokenSource(instance.Gone, stop))
                await Task.Delay(Timeout.Infinite, either.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            if (stop.IsCancellationRequested)
            {
                _ = instance.Kill();
                return;
            }

            place.Log.Add(name, "is gone");
            _current = new(TaskCreationOptions.RunContinuationsAsynchronously);
            var delay = TimeSpan.FromMilliseconds(_delays.Next(0, 300));
            await Task.Delay(delay, stop).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }
}
