namespace PaymentPlatform.Faults.Proxies;

/// <summary>All of an instance's connections: open, paused together, or severed together for good. Thread-safe.</summary>
internal sealed class InstanceNetwork
{
    private readonly CancellationTokenSource _severed = new();
    private volatile TaskCompletionSource? _paused;

    public CancellationToken Severed => _severed.Token;

    public bool IsPaused => _paused is not null;

    /// <summary>Waits while the instance is paused.</summary>
    /// <exception cref="OperationCanceledException">It is severed.</exception>
    public async ValueTask PassAsync()
    {
        while (_paused is { } paused)
            await paused.Task.WaitAsync(Severed);
        Severed.ThrowIfCancellationRequested();
    }

    /// <summary>Nothing passes any more, in either direction, from the moment this is called.</summary>
    public void Sever() => _severed.Cancel();

    /// <returns>False when it is paused already.</returns>
    public bool Pause() => Interlocked.CompareExchange(ref _paused, new(TaskCreationOptions.RunContinuationsAsynchronously), null) is null;

    /// <returns>False when it was not paused.</returns>
    public bool Resume() => Interlocked.Exchange(ref _paused, null)?.TrySetResult() == true;
}
