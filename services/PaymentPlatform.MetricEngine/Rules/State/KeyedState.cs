using System.Buffers;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>The keys with what is kept of each.</summary>
internal abstract class KeyedState<TEntry>(RuleDefinition rule) : RuleState(rule)
    where TEntry : struct, IStateEntry
{
    /// <summary>No place: the key is not known.</summary>
    protected const int None = KeyTable<TEntry>.None;

    private const int SweepFrom = 1_024;
    private const int SmallestEntry = 17;

    // Marked are those that changed since they were last written.
    private readonly KeyTable<TEntry> _entries = new();

    /// <summary>Places of the marked ones; one whose key was removed, and another put there, may be in it twice.</summary>
    private readonly List<int> _touched = [];

    public override int Held => _entries.Count;

    public override void WriteBody(IBufferWriter<byte> output, bool touchedOnly)
    {
        WriteHorizon(output);
        List<int> kept = touchedOnly ? _touched : [.. Enumerable.Range(0, _entries.End).Where(IsKept)];
        if (touchedOnly)
            kept.RemoveAll(place => !TakeMark(place) || !IsKept(place));
        else
            _touched.ForEach(place => TakeMark(place));
        output.WriteUnsigned((ulong)kept.Count);
        foreach (var place in kept)
        {
            output.WriteHash(_entries.KeyOf(place));
            _entries[place].Write(output);
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
            var place = _entries.Find(key);
            if (place == None)
                place = _entries.Add(key);
            else if (IsAlive(_entries[place].Newest))
                Leave(_entries[place].Newest);
            _entries[place] = entry;
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
        for (var place = 0; place < _entries.End; place++)
        {
            if (_entries.IsUsed(place) && !IsAlive(_entries[place].Newest))
                _entries.Remove(place);
        }

        if (_entries.Capacity <= SweepFrom || _entries.Capacity <= 4 * _entries.Count)
            return;
        _entries.Shrink();
        _touched.Clear();
        _touched.AddRange(Enumerable.Range(0, _entries.End).Where(place => _entries.Mark(place)));
    }

    /// <returns>The key's place, or <see cref="None"/>. Good until the next change.</returns>
    protected int Find(UInt128 key) => _entries.Find(key) is var place && place != None && IsAlive(_entries[place].Newest) ? place : None;

    protected ref readonly TEntry this[int place] => ref _entries[place];

    /// <summary>The key's entry to change, empty when it is new. Then <see cref="Changed"/>.</summary>
    /// <param name="place">As <see cref="Find"/> gave it.</param>
    /// <param name="before">Its newest event; null when it is new.</param>
    protected ref TEntry Change(UInt128 key, int place, out long? before)
    {
        before = null;
        if (place == None)
            place = Make(key);
        else
            before = _entries[place].Newest;
        ref var mark = ref _entries.Mark(place);
        if (!mark)
        {
            mark = true;
            _touched.Add(place);
        }

        return ref _entries[place];
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

    private int Make(UInt128 key)
    {
        // A sweep looks at all of them: five looks for each key that is added, at most.
        if (_entries.Count > Alive + Alive / 4 + SweepFrom)
            Sweep();
        var place = _entries.Find(key);
        if (place == None)
            return _entries.Add(key);
        // It is there, but does not matter any more.
        _entries[place].Reset();
        return place;
    }

    private bool IsKept(int place) => _entries.IsUsed(place) && IsAlive(_entries[place].Newest);

    /// <returns>Whether it was marked.</returns>
    private bool TakeMark(int place)
    {
        ref var mark = ref _entries.Mark(place);
        var was = mark;
        mark = false;
        return was;
    }
}
