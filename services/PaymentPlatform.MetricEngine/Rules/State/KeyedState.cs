using System.Buffers;
using System.Runtime.InteropServices;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>The keys with what is kept of each.</summary>
internal abstract class KeyedState<TEntry>(RuleDefinition rule) : RuleState(rule)
    where TEntry : struct, IStateEntry
{
    private const int SweepFrom = 1_024;
    private const int SmallestEntry = 17;

    private readonly Dictionary<UInt128, TEntry> _entries = [];
    private readonly List<UInt128> _touched = [];

    public override int Held => _entries.Count;

    public override void WriteBody(IBufferWriter<byte> output, bool touchedOnly)
    {
        WriteHorizon(output);
        var keys = touchedOnly ? _touched : [.. _entries.Keys];
        output.WriteUnsigned((ulong)keys.Count(IsKept));
        foreach (var key in keys.Where(IsKept))
        {
            output.WriteHash(key);
            _entries[key].Write(output);
        }

        foreach (var key in _touched)
        {
            ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(_entries, key);
            if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref entry))
                entry.IsTouched = false;
        }

        _touched.Clear();
        if (!touchedOnly)
            Sweep();
    }

    public override void ReadBody(ReadOnlySpan<byte> body)
    {
        var reader = new BlobReader(body);
        ReadHorizon(ref reader);
        for (var left = reader.ReadCount(SmallestEntry); left > 0; left--)
        {
            var key = reader.ReadHash();
            var entry = default(TEntry);
            entry.Read(ref reader);
            if (_entries.TryGetValue(key, out var known) && IsAlive(known.Newest))
                Leave(known.Newest);
            _entries[key] = entry;
            if (IsAlive(entry.Newest))
                Arrive(entry.Newest);
        }
    }

    public override void Clear()
    {
        _entries.Clear();
        _touched.Clear();
        ClearCounts();
    }

    public override void Sweep()
    {
        foreach (var (key, entry) in _entries)
        {
            if (!IsAlive(entry.Newest))
                _entries.Remove(key);
        }

        if (_entries.Capacity > SweepFrom && _entries.Capacity > 4 * _entries.Count)
            _entries.TrimExcess(2 * _entries.Count);
    }

    protected bool TryFind(UInt128 key, out TEntry entry) => _entries.TryGetValue(key, out entry) && IsAlive(entry.Newest);

    /// <summary>The key's entry to change, empty when it is new. Then <see cref="Changed"/>.</summary>
    /// <param name="before">Its newest event; null when it is new.</param>
    protected ref TEntry Change(UInt128 key, out long? before)
    {
        // A sweep looks at all of them: four looks for each key that is added, at most.
        if (_entries.Count > Alive + Alive / 4 + SweepFrom)
            Sweep();
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, key, out var exists);
        before = exists && IsAlive(entry.Newest) ? entry.Newest : null;
        if (exists && before is null)
        {
            var touched = entry.IsTouched;
            entry.Reset();
            entry.IsTouched = touched;
        }

        if (!entry.IsTouched)
        {
            entry.IsTouched = true;
            _touched.Add(key);
        }

        return ref entry;
    }

    protected void Changed(long? before, long newest)
    {
        if (before == newest)
            return;
        if (before is { } old)
            Leave(old);
        Arrive(newest);
        KeepWithinLimit();
    }

    private bool IsKept(UInt128 key) => _entries.TryGetValue(key, out var entry) && IsAlive(entry.Newest);
}
