namespace PaymentPlatform.Simulator;

/// <summary>Takes batches to where they belong, and tries again, with backoff, for as long as the platform is down.</summary>
internal abstract class EventSender : IAsyncDisposable
{
    /// <summary>How many batches may be under way at once; 1 where order matters.</summary>
    public abstract int Concurrency { get; }

    /// <exception cref="SimulatorException">The target refuses for good.</exception>
    public abstract Task<SendOutcome> SendAsync(EventBatch batch, TrafficStatistics statistics, CancellationToken cancellationToken);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>From 100 ms to 5 s, doubled at each attempt.</summary>
    protected static TimeSpan Backoff(int attempt) => TimeSpan.FromMilliseconds(Math.Min(5_000, 100 << Math.Min(attempt, 10)));
}
