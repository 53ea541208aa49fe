namespace PaymentPlatform.Streaming.Tests.Kafka;

/// <summary>The machine's clock, on which whoever asks can be made to wait: a process that is paused.</summary>
public sealed class PausableTime : TimeProvider, IDisposable
{
    private readonly ManualResetEventSlim _runs = new(true);
    private int _waiting;

    public bool IsHolding => Volatile.Read(ref _waiting) > 0;

    public void Pause() => _runs.Reset();

    public void Continue() => _runs.Set();

    public override long GetTimestamp()
    {
        Interlocked.Increment(ref _waiting);
        _runs.Wait();
        Interlocked.Decrement(ref _waiting);
        return base.GetTimestamp();
    }

    public void Dispose() => _runs.Dispose();
}
