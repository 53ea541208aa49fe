namespace PaymentPlatform.Simulator;

/// <summary>
/// Says how many events are due. After a hold-up it catches up, at twice the rate at most, on no more than the last second: steady on average, never a burst.
/// </summary>
internal sealed class Pacer(double rate, TimeSpan interval, TimeProvider time)
{
    private long _last = time.GetTimestamp();
    private double _owed;

    /// <summary>Events a second; may change as the traffic goes on.</summary>
    public double Rate { get; set; } = rate;

    /// <summary>To be sent now; 0 when nothing is due before the next interval.</summary>
    public int Due()
    {
        var now = time.GetTimestamp();
        _owed = Math.Min(_owed + Rate * time.GetElapsedTime(_last, now).TotalSeconds, Math.Max(Rate, 1));
        _last = now;
        var due = (int)Math.Min(_owed, Math.Max(1, 2 * Rate * interval.TotalSeconds));
        _owed -= due;
        return due;
    }
}
