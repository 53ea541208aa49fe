using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PaymentPlatform.Events;
using PaymentPlatform.Metrics.Deltas;

namespace PaymentPlatform.Metrics;

/// <summary>Adds valid events up in memory by window, method, currency and status: the counts here, what is folded in <see cref="Delta"/>. Exact; allocates for what is new only.</summary>
public sealed class FigureAccumulator
{
    private readonly Dictionary<Key, Sums> _sums = [];
    private readonly TextTable _texts = new();

    public int KeyCount => _sums.Count;

    /// <summary>Whether an event lies in <c>[from, to)</c>, whose ends are windows' ends: microseconds since the Unix epoch.</summary>
    public bool Touches(long from, long to)
    {
        foreach (var key in _sums.Keys)
        {
            if (key.Window >= from && key.Window < to)
                return true;
        }

        return false;
    }

    /// <summary>Percentiles, unique counts, countries and samples of the same events. Rules add their buckets.</summary>
    public MetricDelta Delta { get; } = new();

    /// <param name="enqueuedAtMicros">When the stream took the event: microseconds since the Unix epoch.</param>
    /// <param name="idHash">The message id's <see cref="MetricEngine.Sketches.StableHash"/>.</param>
    /// <exception cref="InvalidOperationException">The event lacks what every valid event has.</exception>
    public void Add(ParsedTransaction transaction, long enqueuedAtMicros, ulong idHash)
    {
        if (transaction.TransactionTimestampMicros is not { } micros || transaction.AmountScaled is not { } amount)
            throw new InvalidOperationException("A valid event has no timestamp or no amount.");

        var key = new Key(
            MetricWindow.StartOf(micros),
            _texts.IdOf(transaction.PaymentMethod.Span),
            _texts.IdOf(transaction.Currency.Span),
            _texts.IdOf(transaction.PaymentStatus.Span));
        ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_sums, key);
        var isNew = Unsafe.IsNullRef(ref known);
        var id = isNew ? Delta.IdOf(new(key.Window, _texts[key.Method], _texts[key.Currency], _texts[key.Status])) : known.Id;
        // First what can fail: then the event counts nowhere.
        Delta.AddEvent(id, amount, enqueuedAtMicros - micros, transaction.CustomerId.Span, transaction.MerchantId.Span, transaction.CustomerCountry.Span, idHash);
        if (isNew)
        {
            _sums.Add(key, new() { Id = id, Count = 1, Total = amount, Min = amount, Max = amount });
            return;
        }

        if (amount < known.Min)
            known.Min = amount;
        if (amount > known.Max)
            known.Max = amount;
        known.Total += amount;
        known.Count++;
    }

    public IEnumerable<FigureRow> Rows() => _sums.Select(pair => new FigureRow(
        pair.Key.Window, _texts[pair.Key.Method], _texts[pair.Key.Currency], _texts[pair.Key.Status],
        pair.Value.Count, pair.Value.Total, pair.Value.Min, pair.Value.Max));

    /// <summary>Keeps the texts that are likely to come again.</summary>
    public void Clear()
    {
        _sums.Clear();
        Delta.Clear();
        if (_texts.Count > 1_000)
            _texts.Clear();
        if (_sums.Capacity > 4_096)
            _sums.TrimExcess();
    }

    private readonly record struct Key(long Window, int Method, int Currency, int Status);

    private struct Sums
    {
        public int Id;
        public long Count;
        public Int128 Total;
        public Int128 Min;
        public Int128 Max;
    }
}
