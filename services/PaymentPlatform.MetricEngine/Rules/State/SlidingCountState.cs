namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>
/// Counts each key's events within the window that ends at the key's newest event. At most <c>at_least</c> times are kept, the newest: with so many in the window the count is reached, whatever else there was.
/// Memory: about 120 bytes a key and 8 bytes for each time within the window, at most 16 × <c>at_least</c>.
/// </summary>
internal sealed class SlidingCountState(RuleDefinition rule) : KeyedState<CountEntry>(rule)
{
    private readonly int _atLeast = (int)rule.AtLeast!.Default!.Value;

    /// <summary>Counts an event.</summary>
    /// <returns>Whether with it the window has the number that it did not have before: one hit a crossing.</returns>
    public bool Count(UInt128 key, long micros, long newestOfPartition, out long from, out long to)
    {
        Advance(newestOfPartition);
        (from, to) = (0, 0);
        var place = Find(key);
        if (place != None && micros <= this[place].Newest - Rule.WithinMicros)
            return false;

        ref var entry = ref Change(key, place, out var before);
        to = Math.Max(micros, before ?? micros);
        entry.Expire(to - Rule.WithinMicros);
        var reached = entry.Count == _atLeast - 1;
        entry.Insert(micros, _atLeast);
        from = entry.Oldest;
        Changed(before, to);
        return reached;
    }
}
