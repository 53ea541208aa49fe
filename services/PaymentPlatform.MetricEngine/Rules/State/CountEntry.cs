using System.Buffers;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>The times of a key's events within the window that ends at its newest, oldest first. Most keys have one, which needs no array.</summary>
internal struct CountEntry : IStateEntry
{
    private long _only;
    private long[]? _times;

    public int Count { get; private set; }

    public readonly long Newest => Count == 0 ? long.MinValue : Times[Count - 1];

    public readonly long Oldest => Times[0];

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    private readonly ReadOnlySpan<long> Times => _times ?? new ReadOnlySpan<long>(in _only);

    public void Reset() => Count = 0;

    /// <summary>Removes what is not newer.</summary>
    public void Expire(long upTo)
    {
        var gone = 0;
        while (gone < Count && Times[gone] <= upTo)
            gone++;
        if (gone == 0)
            return;
        Count -= gone;
        if (_times is not null)
            Array.Copy(_times, gone, _times, 0, Count);
    }

    /// <summary>Inserts behind those of the same time. Beyond the most that are kept the oldest goes.</summary>
    public void Insert(long micros, int most)
    {
        var at = Count;
        while (at > 0 && Times[at - 1] > micros)
            at--;
        if (Count == most)
        {
            if (at == 0)
                return;
            if (_times is not null)
                Array.Copy(_times, 1, _times, 0, at - 1);
            Set(at - 1, micros);
            return;
        }

        Grow(Count + 1);
        if (_times is not null)
            Array.Copy(_times, at, _times, at + 1, Count - at);
        Set(at, micros);
        Count++;
    }

    public readonly void Write(IBufferWriter<byte> output)
    {
        output.WriteUnsigned((ulong)Count);
        var before = 0L;
        foreach (var time in Times[..Count])
        {
            output.WriteSigned(time - before);
            before = time;
        }
    }

    public void Read(ref BlobReader reader)
    {
        var count = reader.ReadCount(1);
        Grow(count);
        var before = 0L;
        for (var i = 0; i < count; i++)
            Set(i, before += reader.ReadSigned());
        Count = count;
    }

    private void Set(int at, long micros)
    {
        if (_times is null)
            _only = micros;
        else
            _times[at] = micros;
    }

    private void Grow(int needed)
    {
        if (needed <= (_times?.Length ?? 1))
            return;
        var grown = new long[Math.Max(needed, 2 * (_times?.Length ?? 2))];
        Times[..Count].CopyTo(grown);
        _times = grown;
    }
}
