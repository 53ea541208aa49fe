namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>For each key the newest event that matched: 8 bytes, or 24 with a value. About 100 bytes a key in memory with the key itself.</summary>
internal sealed class EarlierState(RuleDefinition rule) : KeyedState<EarlierEntry>(rule)
{
    /// <summary>Whether a remembered event of the key is newer than the event's time less the rule's <c>within</c>. One whose clock is ahead counts: what came before in the stream came before.</summary>
    public bool TryFind(UInt128 key, long micros, long newestOfPartition, out EarlierEntry earlier)
    {
        Advance(newestOfPartition);
        return TryFind(key, out earlier) && earlier.Newest > micros - Rule.WithinMicros;
    }

    /// <summary>Remembers the event unless a newer one is.</summary>
    public void Remember(UInt128 key, long micros, UInt128 value, long newestOfPartition)
    {
        Advance(newestOfPartition);
        if (TryFind(key, out var known) && known.Newest > micros)
            return;
        ref var entry = ref Change(key, out var before);
        (entry.Newest, entry.Value) = (micros, value);
        Changed(before, micros);
    }
}
