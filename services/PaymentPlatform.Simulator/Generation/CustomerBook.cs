namespace PaymentPlatform.Simulator;

/// <summary>
/// Chooses the customers of clean payments so that none comes near rapid fire, however high the rate: at most 49 events in a minute of the clock, so fewer than 100 in any 60 seconds.
/// Where all of a small pool are busy, passing customers step in. A customer is a number: from 0 one of the pool, below 0 (the complement of a running number) one who came once.
/// </summary>
internal sealed class CustomerBook(int customers)
{
    private const int MostAMinute = 49;
    private const int Attempts = 4;

    private readonly int[] _minutes = new int[customers];
    private readonly byte[] _events = new byte[customers];
    private int _passing;
    private int _passingEvents = MostAMinute;
    private int _newcomers;

    /// <summary>Somebody who was not seen before and will not be again, unless the caller does so.</summary>
    public int Newcomer() => ~_newcomers++;

    public int Choose(ref SeededRandom random, long micros)
    {
        for (var i = 0; i < Attempts; i++)
        {
            var customer = random.Below(customers);
            if (TryCount(customer, micros))
                return customer;
        }

        if (_passingEvents++ >= MostAMinute)
            (_passing, _passingEvents) = (Newcomer(), 1);
        return _passing;
    }

    /// <returns>False when the customer has had enough for this minute.</returns>
    public bool TryCount(int customer, long micros)
    {
        var minute = (int)(micros / 60_000_000);
        if (_minutes[customer] != minute)
            (_minutes[customer], _events[customer]) = (minute, 0);
        if (_events[customer] >= MostAMinute)
            return false;
        _events[customer]++;
        return true;
    }
}
