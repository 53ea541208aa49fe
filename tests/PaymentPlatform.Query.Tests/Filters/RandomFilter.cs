using System.Globalization;

namespace PaymentPlatform.Query.Tests.Filters;

/// <summary>Parameters of <c>/v1/events</c>, and what they mean by the contract, without a look at the service's code.</summary>
internal sealed class RandomFilter
{
    private const long TicksPerMicrosecond = 10;

    private readonly Random _random;
    private readonly FilteredArchive _archive;
    private readonly List<string> _parameters = [];
    private readonly List<Func<TestEvent, bool>> _conditions = [];
    private readonly bool? _isValid;

    public RandomFilter(Random random, FilteredArchive archive)
    {
        (_random, _archive) = (random, archive);
        _isValid = random.Next(4) switch { 0 => true, 1 => false, _ => null };
        if (_isValid is { } isValid)
            Add("is_valid", isValid ? "true" : "false", e => e.IsValid == isValid);
        AddRange();
        AddText("merchant_id", FilteredArchive.Merchants, e => e.MerchantId);
        AddText("customer_id", FilteredArchive.Customers, e => e.CustomerId);
        AddText("payment_status", FilteredArchive.Statuses, e => e.PaymentStatus);
        AddText("payment_method", FilteredArchive.Methods, e => e.PaymentMethod);
        AddText("currency", FilteredArchive.Currencies, e => e.Currency);
        AddAmounts();
        if (random.Next(4) == 0)
        {
            var origin = RandomArchive.Pick(random, FilteredArchive.Origins);
            Add("origin", origin, e => e.Origin == origin);
        }
        else
        {
            _conditions.Add(e => e.Origin != "replay");
        }

        Expected = [.. RandomArchive.InOrder(archive.All.Where(e => !e.IsDuplicate && TicksOf(e) is not null && _conditions.All(c => c(e))))];
        // A handful of pages; some end exactly with the last event.
        var count = Expected.Count;
        Limit = Math.Clamp(random.Next(4) switch { 0 => count, 1 => (count + 1) / 2, 2 => count - 1, _ => random.Next(count / 6, 1000) }, 1, 1000);
        if (Limit < count / 6)
            Limit = Math.Min(1000, count);
    }

    /// <summary>In the order of an answer.</summary>
    public IReadOnlyList<TestEvent> Expected { get; }

    public int Limit { get; }

    public string Path => $"/v1/events?{string.Join('&', _parameters)}";

    public override string ToString() => $"{Path} (limit {Limit}, {Expected.Count} events)";

    private void AddRange()
    {
        var (from, to) = (Bound(), Bound());
        switch (_random.Next(8))
        {
            case 0:
                return;
            case 1:
                AddFrom(from);
                return;
            case 2:
                AddTo(to);
                return;
            case 3:
                to = from + (RandomArchive.Pick(_random, [0, 1, 2, 60_000_000, RandomArchive.Hour, FilteredArchive.Day]) * TicksPerMicrosecond);
                break;
        }

        AddFrom(Math.Min(from, to));
        AddTo(Math.Max(from, to));

        void AddFrom(long ticks) => Add("from", Format(ticks), e => TicksOf(e) >= ticks);
        void AddTo(long ticks) => Add("to", Format(ticks), e => TicksOf(e) < ticks);
    }

    /// <summary>In ticks since the Unix epoch: mostly an event's time, an hour, a day or a file's edge, exactly or beside it.</summary>
    private long Bound()
    {
        const long Length = FilteredArchive.Days * FilteredArchive.Day;
        var micros = _random.Next(6) switch
        {
            0 or 1 => AnyTime(_archive.All),
            2 => FilteredArchive.Start + (_random.Next(-1, FilteredArchive.Days + 2) * FilteredArchive.Day),
            3 => FilteredArchive.Start + (_random.NextInt64(Length / RandomArchive.Hour) * RandomArchive.Hour),
            4 => Edge(_archive.Files[_random.Next(_archive.Files.Count)]),
            _ => FilteredArchive.Start + _random.NextInt64(Length),
        };
        return (micros * TicksPerMicrosecond) + _random.Next(8) switch { 0 or 1 => TicksPerMicrosecond, 2 or 3 => -TicksPerMicrosecond, 4 => 1, _ => 0 };

        long AnyTime(IReadOnlyList<TestEvent> events) => events[_random.Next(events.Count)] is var e && e.Time is { } time ? time : e.EnqueuedAt;
        long Edge(List<TestEvent> file) => _random.Next(2) == 0 ? file.Min(e => e.Time)!.Value : file.Max(e => e.Time)!.Value;
    }

    /// <summary>One of the forms of RFC 3339.</summary>
    private string Format(long ticks)
    {
        var time = new DateTimeOffset(DateTime.UnixEpoch.Ticks + ticks, TimeSpan.Zero);
        return _random.Next(4) switch
        {
            0 when time.TimeOfDay == TimeSpan.Zero => Text("yyyy-MM-dd"),
            1 => time.ToOffset(TimeSpan.FromMinutes(_random.Next(-14 * 4, (14 * 4) + 1) * 15)).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", CultureInfo.InvariantCulture),
            2 => Text("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'"),
            _ => Text("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"),
        };

        string Text(string format) => time.ToString(format, CultureInfo.InvariantCulture);
    }

    private void AddText(string name, string?[] values, Func<TestEvent, string?> column)
    {
        if (_random.Next(5) > 0)
            return;
        var value = RandomArchive.Pick(_random, values) ?? "nobody";
        Add(name, value, e => string.Equals(column(e), value, StringComparison.Ordinal));
    }

    private void AddAmounts()
    {
        var (min, max) = (AmountBound(), AmountBound());
        if (min > max)
            (min, max) = (max, min);
        if (min is { } least)
            AddAmount("min_amount", least, amount => amount >= least);
        if (max is { } most)
            AddAmount("max_amount", most, amount => amount <= most);
    }

    /// <summary>Null for none.</summary>
    private decimal? AmountBound()
    {
        if (_random.Next(5) > 0)
            return null;
        var amount = _archive.All[_random.Next(_archive.All.Count)].Amount;
        return Math.Clamp(decimal.Parse(amount ?? "0", CultureInfo.InvariantCulture) + (_random.Next(-1, 2) * 0.0001m), -999_999_999_999_999.9999m, 999_999_999_999_999.9999m);
    }

    private void AddAmount(string name, decimal bound, Func<decimal, bool> isWithin) => Add(
        name, bound.ToString(_random.Next(2) == 0 ? "0.####" : "0.0000", CultureInfo.InvariantCulture), e => e.Amount is { } text && isWithin(decimal.Parse(text, CultureInfo.InvariantCulture)));

    /// <summary>The time by which an event is listed; those without one come only where invalid ones are asked for.</summary>
    private long? TicksOf(TestEvent e) => (e.Time ?? (_isValid == false ? e.EnqueuedAt : null)) * TicksPerMicrosecond;

    private void Add(string name, string value, Func<TestEvent, bool> condition)
    {
        _parameters.Add($"{name}={Uri.EscapeDataString(value)}");
        _conditions.Add(condition);
    }
}
