namespace PaymentPlatform.Simulator;

/// <summary>Several events that are a violation only together. They have the times that were planned for them, also where the traffic is too slow to send them just then.</summary>
internal sealed class PlantedGroup(ViolationPattern pattern, long number, long[] times, Payment first, CurrencyProfile currency)
{
    public ViolationPattern Pattern => pattern;

    public long Number => number;

    /// <summary>How many of its events were written.</summary>
    public int Written { get; set; }

    public bool IsDone => Written == times.Length;

    /// <summary>Of the next event; microseconds since the Unix epoch.</summary>
    public long Due => times[Written];

    public Payment First => first;

    /// <summary>Of the events behind the first.</summary>
    public CurrencyProfile Currency => currency;

    /// <summary>Makes the times of a group that begins now.</summary>
    public static long[] Plan(ViolationPattern pattern, long now, ref SeededRandom random)
    {
        var (least, most) = ViolationPatterns.GroupSize(pattern);
        var times = new long[least + random.Below(most - least + 1)];
        var span = pattern switch
        {
            // Even enough that the last event is within the minute.
            ViolationPattern.RapidFire => 50e6,
            ViolationPattern.Structuring => Spread(10, 50 * 60, ref random),
            _ => Spread(1, 60, ref random),
        };
        for (var i = 1; i < times.Length; i++)
            times[i] = (long)(span * (i - (i < times.Length - 1 ? 0.9 * random.Fraction() : 0)) / (times.Length - 1));
        for (var i = 0; i < times.Length; i++)
            times[i] += now;
        return times;
    }

    /// <summary>Short ones are as likely as long ones, on a logarithmic scale: a short run has some that end.</summary>
    private static double Spread(double leastSeconds, double mostSeconds, ref SeededRandom random) =>
        1e6 * leastSeconds * Math.Pow(mostSeconds / leastSeconds, random.Fraction());
}
