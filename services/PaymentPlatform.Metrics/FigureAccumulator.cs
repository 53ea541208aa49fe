using System.Runtime.InteropServices;
using PaymentPlatform.Events;

namespace PaymentPlatform.Metrics;

/// <summary>Adds valid events up in memory by window, method, currency and status. Exact; allocates for new keys only.</summary>
public sealed class FigureAccumulator
{
    private readonly Dictionary<Key, Sums> _sums = [];
    private readonly TextTable _texts = new();

    public int KeyCount => _sums.Count;

    /// <exception cref="InvalidOperationException">The event lacks what every valid event has.</exception>
    public void Add(ParsedTransaction transaction)
    {
        if (transaction.TransactionTimestampMicros is not { } micros || transaction.AmountScaled is not { } amount)
            throw new InvalidOperationException("A valid event has no timestamp or no amount.");

        var key = new Key(
            MetricWindow.StartOf(micros),
            _texts.IdOf(transaction.PaymentMethod.Span),
            _texts.IdOf(transaction.Currency.Span),
            _texts.IdOf(transaction.PaymentStatus.Span));
        ref var sums = ref CollectionsMarshal.GetValueRefOrAddDefault(_sums, key, out var exists);
        if (!exists || amount < sums.Min)
            sums.Min = amount;
        if (!exists || amount > sums.Max)
            sums.Max = amount;
        sums.Total += amount;
        sums.Count++;
    }

    public IEnumerable<FigureRow> Rows() => _sums.Select(pair => new FigureRow(
        pair.Key.Window, _texts[pair.Key.Method], _texts[pair.Key.Currency], _texts[pair.Key.Status],
        pair.Value.Count, pair.Value.Total, pair.Value.Min, pair.Value.Max));

    /// <summary>Keeps the texts that are likely to come again.</summary>
    public void Clear()
    {
        _sums.Clear();
        if (_texts.Count > 1_000)
            _texts.Clear();
        if (_sums.Capacity > 4_096)
            _sums.TrimExcess();
    }

    private readonly record struct Key(long Window, int Method, int Currency, int Status);

    private struct Sums
    {
        public long Count;
        public Int128 Total;
        public Int128 Min;
        public Int128 Max;
    }
}
