namespace PaymentPlatform.Simulator;

/// <summary>Picks by exact shares in constant time: Vose's alias method.</summary>
internal sealed class ShareTable<T>
{
    private readonly T[] _values;
    private readonly T[] _others;

    /// <summary>The part of each slot that is its own, of 2^64.</summary>
    private readonly ulong[] _own;

    /// <param name="shares">Of any sum above zero.</param>
    public ShareTable(IReadOnlyList<(T Value, double Part)> shares)
    {
        shares = [.. shares.Where(s => s.Part > 0)];
        var sum = shares.Sum(s => s.Part);
        _values = [.. shares.Select(s => s.Value)];
        _others = [.. _values];
        _own = new ulong[_values.Length];
        _own.AsSpan().Fill(ulong.MaxValue);

        var parts = shares.Select(s => s.Part / sum * shares.Count).ToArray();
        var small = new Stack<int>(Enumerable.Range(0, parts.Length).Where(i => parts[i] < 1));
        var large = new Stack<int>(Enumerable.Range(0, parts.Length).Where(i => parts[i] >= 1));
        while (small.Count > 0 && large.Count > 0)
        {
            var (less, more) = (small.Pop(), large.Pop());
            _own[less] = (ulong)(parts[less] * (1UL << 63)) * 2;
            _others[less] = _values[more];
            parts[more] -= 1 - parts[less];
            (parts[more] < 1 ? small : large).Push(more);
        }
    }

    public T this[ulong random] => Math.BigMul(random, (ulong)_values.Length, out var low) is var slot && low < _own[slot] ? _values[slot] : _others[slot];
}
