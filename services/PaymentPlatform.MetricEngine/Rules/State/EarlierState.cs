namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>For each key the newest event that matched: 8 bytes, or 24 with a value. At most 112 bytes a key in memory with the key itself.</summary>
internal sealed class EarlierState(RuleDefinition rule) : KeyedState<EarlierEntry>(rule)
{
    /// <returns>For the calls below, good until <see cref="Remember"/>.</returns>
    public int Find(UInt128 key, long newestOfPartition)
    {
        Advance(newestOfPartition);
        return Find(key);
    }

    /// <summary>Whether a remembered event of the key is newer than the event's time less the rule's <c>within</c>. One whose clock is ahead counts: what came before in the stream came before.</summary>
    public bool IsWithin(int place, long micros, out EarlierEntry earlier)
    {
        earlier = place == None ? default : this[place];
        return place != None && earlier.Newest > micros - Rule.WithinMicros;
    }

    /// <summary>Remembers the event unless a newer one is.</summary>
    public void Remember(UInt128 key, int place, long micros, UInt128 value)
    {
        if (place != None && this[place].Newest > micros)
            return;
        ref var entry = ref Change(key, place, out var before);
        (entry.Newest, entry.Value) = (micros, value);
        Changed(before, micros);
    }
}
