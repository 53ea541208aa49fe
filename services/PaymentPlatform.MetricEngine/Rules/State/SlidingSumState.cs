namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>
/// Adds up each key's values within the window that ends at the key's newest event. Of a key with more than 256 values in the window the oldest are put together, with the latest time among them.
/// Memory: about 150 bytes a key and 32 bytes for each value within the window, at most 16 kB.
/// </summary>
internal sealed class SlidingSumState(RuleDefinition rule) : KeyedState<SumEntry>(rule)
{
    /// <summary>Adds an event's value.</summary>
    /// <returns>Whether with it the sum is at least <paramref name="atLeast"/>, and was not before: one hit a crossing.</returns>
    public bool Add(UInt128 key, long micros, Int128 value, Int128 atLeast, long newestOfPartition, out long from, out long to, out Int128 sum)
    {
        Advance(newestOfPartition);
        (from, to, sum) = (0, 0, 0);
        var place = Find(key);
        if (place != None && micros <= this[place].Newest - Rule.WithinMicros)
            return false;

        ref var entry = ref Change(key, place, out var before);
        to = Math.Max(micros, before ?? micros);
        entry.Expire(to - Rule.WithinMicros);
        var had = entry.Sum;
        entry.Insert(micros, value);
        (from, sum) = (entry.Oldest, entry.Sum);
        Changed(before, to);
        return had < atLeast && sum >= atLeast;
    }
}
