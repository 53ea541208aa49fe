namespace PaymentPlatform.Streaming;

/// <summary>An auto-reset event for one waiter. A signal that comes while nobody waits is kept.</summary>
internal sealed class AsyncSignal : IDisposable
{
    private readonly SemaphoreSlim _semaphore = new(0);
    private int _set;

    public void Set()
    {
        if (Interlocked.Exchange(ref _set, 1) == 0)
            _semaphore.Release();
    }

    /// <returns>False when the time ran out.</returns>
    public async ValueTask<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (timeout < TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
            timeout = TimeSpan.Zero;
        if (!await _semaphore.WaitAsync(timeout, cancellationToken))
            return false;
        // A full fence: what the caller looks at next must not be older than this, or a signal that finds the flag still set is lost.
        Interlocked.Exchange(ref _set, 0);
        return true;
    }

    public void Dispose() => _semaphore.Dispose();
}
