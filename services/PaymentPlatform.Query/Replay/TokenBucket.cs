namespace PaymentPlatform.Query.Replay;

/// <summary>Keeps to a rate: never more than <c>rate × time + burst</c> since the beginning, nor since any later moment. Used by one caller at a time.</summary>
/// <param name="rate">Tokens a second.</param>
/// <param name="burst">Tokens at the beginning, and at most.</param>
internal sealed class TokenBucket(double rate, double burst, TimeProvider time)
{
    private readonly double _burst = burst;
    private double _tokens = burst;
    private long _filled = time.GetTimestamp();

    /// <summary>Waits until so many tokens are there, and takes them.</summary>
    /// <param name="count">At most the burst.</param>
    public async Task TakeAsync(int count, CancellationToken cancellationToken)
    {
        for (Fill(); _tokens < count; Fill())
            await Task.Delay(TimeSpan.FromSeconds((count - _tokens) / rate) + TimeSpan.FromMilliseconds(1), time, cancellationToken);
        _tokens -= count;
    }

    private void Fill()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(_burst, _tokens + (rate * time.GetElapsedTime(_filled, now).TotalSeconds));
        _filled = now;
    }
}
