namespace PaymentPlatform.Faults.Instances;

/// <summary>An instance's time: the system's, but that it can jump, and that no timer fires while the instance is paused (afterwards all that are due do, as in a process that is woken).</summary>
internal sealed class InstanceClock : TimeProvider
{
    private long _offsetTicks;
    private volatile TaskCompletionSource? _paused;

    /// <summary>Only the wall clock: timers and elapsed times are of the monotonic one.</summary>
    /// <param name="offset">From the system's; an earlier jump's is over.</param>
    public void Jump(TimeSpan offset) => Interlocked.Exchange(ref _offsetTicks, offset.Ticks);

    public void Pause() => Interlocked.CompareExchange(ref _paused, new(TaskCreationOptions.RunContinuationsAsynchronously), null);

    public void Resume() => Interlocked.Exchange(ref _paused, null)?.TrySetResult();

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _offsetTicks));

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        return base.CreateTimer(Fire, null, dueTime, period);

        void Fire(object? _)
        {
            if (_paused is { } paused)
                paused.Task.ContinueWith((_, _) => callback(state), null, TaskScheduler.Default);
            else
                callback(state);
        }
    }
}
