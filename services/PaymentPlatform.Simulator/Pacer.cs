namespace PaymentPlatform.Simulator;

/// <summary>
/// Says how many events are due. After a hold-up it catches up, at twice the rate at most, on no more than the last second: steady on average, never a burst.
/// </summary>
internal sealed class Pacer(double rate, TimeSpan interval, TimeProvider time)
{
    private readonly double _most = Math.Max(1, 2 * rate * interval.TotalSeconds);
    private long _last = time.GetTimestamp();
    private double _owed;

    /// <summary>To be sent now; 0 when nothing is due before the next interval.</summary>
    public int Due()
    {
        var now = time.GetTimestamp();
        _owed = Math.Min(_owed + rate * time.GetElapsedTime(_last, now).TotalSeconds, Math.Max(rate, 1));
        _last = now;
        var due = (int)Math.Min(_owed, _most);
        _owed -= due;
        return due;
    }
}
