namespace PaymentPlatform.Streaming.Leasing;

/// <summary>What is special about one transport's log: how the partitions that a <see cref="LeasedMessageConsumer"/> owns are read on. Used by one loop, which tries again after a fault.</summary>
internal abstract class LogReader : IAsyncDisposable
{
    /// <summary>Hands over to the <see cref="FetchTarget"/> what there is for the requests, without waiting for more to come.</summary>
    /// <param name="logId">The log of all the requests.</param>
    /// <returns>Bytes that were handed over.</returns>
    public abstract Task<long> FetchAsync(string logId, IReadOnlyList<FetchRequest> requests, CancellationToken cancellationToken);

    /// <summary>Waits until another <see cref="FetchAsync"/> may bring something.</summary>
    /// <param name="signal">Set when there is more room, or other partitions.</param>
    /// <returns>False when the time ran out.</returns>
    public virtual ValueTask<bool> WaitAsync(AsyncSignal signal, TimeSpan timeout, CancellationToken cancellationToken) => signal.WaitAsync(timeout, cancellationToken);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
