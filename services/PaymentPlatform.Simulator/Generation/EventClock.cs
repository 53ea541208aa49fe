namespace PaymentPlatform.Simulator;

/// <summary>The events' own time, independent of the clock: from a start, at a rate that follows the hours of the day.</summary>
internal sealed class EventClock(DateTimeOffset start)
{
    private const long Hour = 3_600_000_000;

    private long _micros = (start - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
    private double _fraction;

    /// <summary>The moment of the next event, in microseconds since the Unix epoch.</summary>
    public long Next(TrafficProfile profile)
    {
        // A day without any hour can't be: the shares sum to 1.
        while (profile.HourFactor(_micros) == 0)
            (_micros, _fraction) = (_micros + Hour - _micros % Hour, 0);
        var moment = _micros;
        Advance(profile);
        return moment;
    }

    private void Advance(TrafficProfile profile)
    {
        // What is left to wait, in microseconds of an average hour.
        var work = profile.MicrosPerEvent;
        while (true)
        {
            var factor = profile.HourFactor(_micros);
            var left = Hour - _micros % Hour - _fraction;
            if (left * factor > work)
            {
                var step = _fraction + work / factor;
                var whole = Math.Floor(step);
                (_micros, _fraction) = (_micros + (long)whole, step - whole);
                return;
            }

            work -= left * factor;
            (_micros, _fraction) = (_micros + Hour - _micros % Hour, 0);
        }
    }
}
