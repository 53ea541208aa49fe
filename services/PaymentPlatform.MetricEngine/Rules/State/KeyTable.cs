using System.Numerics;
using System.Runtime.CompilerServices;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>
/// Hashed keys and what is kept of each, in numbered places, so that a key is looked up once and then read, changed and written by its place. A place is good until its key is removed or the table shrinks.
/// Keys are taken for well-mixed hashes.
/// </summary>
/// <remarks>Memory: places are a power of two, at most twice the keys, and there are two buckets to a place: 2 × (32 bytes and the entry) a key.</remarks>
internal sealed class KeyTable<TEntry>
    where TEntry : struct
{
    /// <summary>No place.</summary>
    public const int None = -1;

    private const int Smallest = 16;

    // The next place of the same bucket, -1 at its end; of a free place -3 less the next free one, and so at most -2.
    private const int FreeBase = -3;

    private int[] _buckets = [0];
    private Place[] _places = [];
    private int _used;
    private int _free = None;

    public int Count { get; private set; }

    public int Capacity => _places.Length;

    /// <summary>Beyond the last place in use.</summary>
    public int End => _used;

    /// <returns>The key's place, or <see cref="None"/>.</returns>
    public int Find(UInt128 key)
    {
        var (low, high) = ((ulong)key, (ulong)(key >> 64));
        var places = _places;
        for (var at = _buckets[(int)low & (_buckets.Length - 1)] - 1; (uint)at < (uint)places.Length; at = places[at].Next)
        {
            if (places[at].Low == low && places[at].High == high)
                return at;
        }

        return None;
    }

    /// <summary>The key must not be there.</summary>
    /// <returns>Its place, whose entry is empty.</returns>
    public int Add(UInt128 key)
    {
        int at;
        if (_free != None)
        {
            at = _free;
            _free = FreeBase - _places[at].Next;
        }
        else
        {
            if (_used == _places.Length)
                Resize(Math.Max(Smallest, 2 * _places.Length));
            at = _used++;
        }

        ref var place = ref _places[at];
        (place.Low, place.High, place.Entry) = ((ulong)key, (ulong)(key >> 64), default);
        Link(at);
        Count++;
        return at;
    }

    public void Remove(int at)
    {
        ref var place = ref _places[at];
        ref var bucket = ref _buckets[(int)place.Low & (_buckets.Length - 1)];
        if (bucket - 1 == at)
        {
            bucket = place.Next + 1;
        }
        else
        {
            var before = bucket - 1;
            while (_places[before].Next != at)
                before = _places[before].Next;
            _places[before].Next = place.Next;
        }

        place.Entry = default;
        place.IsMarked = false;
        place.Next = FreeBase - _free;
        _free = at;
        Count--;
    }

    public bool IsUsed(int at) => _places[at].Next >= None;

    public UInt128 KeyOf(int at) => new(_places[at].High, _places[at].Low);

    public ref TEntry this[int at] => ref _places[at].Entry;

    /// <summary>A mark of the caller's, false for a new key.</summary>
    public ref bool Mark(int at) => ref _places[at].IsMarked;

    public void Clear()
    {
        Array.Clear(_buckets);
        Array.Clear(_places, 0, _used);
        (_used, _free, Count) = (0, None, 0);
    }

    /// <summary>Gives memory back. Places change.</summary>
    public void Shrink()
    {
        var kept = 0;
        for (var at = 0; at < _used; at++)
        {
            if (IsUsed(at))
                _places[kept++] = _places[at];
        }

        (_used, _free) = (kept, None);
        Resize((int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(Smallest, kept)));
    }

    private void Resize(int size)
    {
        var places = new Place[size];
        Array.Copy(_places, places, _used);
        (_places, _buckets) = (places, new int[2 * size]);
        // Only called when no place is free.
        for (var at = 0; at < _used; at++)
            Link(at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Link(int at)
    {
        ref var place = ref _places[at];
        ref var bucket = ref _buckets[(int)place.Low & (_buckets.Length - 1)];
        place.Next = bucket - 1;
        bucket = at + 1;
    }

    private struct Place
    {
        public ulong Low;
        public ulong High;
        public int Next;
        public bool IsMarked;
        public TEntry Entry;
    }
}
