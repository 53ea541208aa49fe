using System.Buffers;

namespace PaymentPlatform.Simulator;

/// <summary>
/// Makes payment events as one line of JSON each, about 1 kB (900 to 1,100 bytes), straight into UTF-8: no string, no allocation per event.
/// A payment sometimes sends several events: pending, then how it ended; completed, then refunded. Violations are planted as the settings say, and clean events match none of them.
/// The same seed, settings and moments give the same bytes. Not thread-safe.
/// </summary>
public sealed class TransactionGenerator
{
    private static readonly byte[] PaymentType = "payment"u8.ToArray();
    private static readonly byte[] Refund = "refund"u8.ToArray();

    private readonly bool _validOnly;
    private readonly TransactionPools _pools;
    private readonly CustomerBook _customers;
    private readonly EventWriter _writer;
    private readonly PaymentBook _pending = new(least: 256, most: 1_024);
    private readonly PaymentBook _refundable = new(least: 512, most: 1_024);
    private readonly PriorityQueue<PlantedGroup, (long Due, long Number)> _groups = new();
    private SeededRandom _random;
    private double _rapidFire;
    private double _nextRapidFire;
    private long _lastGroup;
    private Payment _mismatched;

    /// <param name="customers">Size of the pool: keys repeat.</param>
    /// <param name="merchants">Size of the pool.</param>
    /// <param name="invalidShare">Share of events that ingest refuses, from 0 to 1.</param>
    public TransactionGenerator(long seed, int customers = 20_000, int merchants = 2_000, double invalidShare = 0)
        : this((SimulatorSettings.Default with { Customers = customers, Merchants = merchants }).WithInvalidShare(invalidShare), seed)
    {
    }

    /// <param name="validOnly">Leaves out what ingest refuses.</param>
    public TransactionGenerator(SimulatorSettings settings, long seed, bool validOnly = false)
    {
        _random = new(seed);
        _validOnly = validOnly;
        _pools = new(ref _random, settings.Customers, settings.Merchants);
        _customers = new(settings.Customers);
        _nextRapidFire = _random.Fraction();
        Profile = new(settings, validOnly);
        _writer = new(_pools, Profile);
    }

    internal TrafficProfile Profile { get; private set; }

    /// <summary>From the next event on; what was begun is seen through. The sizes of the pools stay as they are.</summary>
    public void Apply(SimulatorSettings settings)
    {
        Profile = new(settings, _validOnly);
        _writer.Profile = Profile;
    }

    /// <param name="nowMicros">The transaction's moment, never earlier than the last one: microseconds since the Unix epoch.</param>
    public GeneratedEvent Write(IBufferWriter<byte> output, long nowMicros)
    {
        if (_groups.TryPeek(out var group, out var next) && next.Due <= nowMicros)
        {
            _groups.Dequeue();
            return WriteNext(output, group);
        }

        var pattern = Draw();
        if (ViolationPatterns.Smallest(pattern) > 1)
            return WriteNext(output, Begin(pattern, nowMicros));
        if (pattern == ViolationPattern.None)
            return _writer.Write(output, NextClean(nowMicros), ViolationPattern.None, 0, nowMicros);
        if (pattern == ViolationPattern.StatusMismatch && !_refundable.TryTake(_customers, nowMicros, out _mismatched))
            return _writer.Write(output, NextClean(nowMicros), ViolationPattern.None, 0, nowMicros);
        return _writer.Write(output, Planted(pattern, nowMicros), pattern, 0, nowMicros);
    }

    private ViolationPattern Draw()
    {
        if (Profile.Violations is not { } violations)
            return ViolationPattern.None;
        _rapidFire += Profile.RapidFireBegins;
        if (_rapidFire < _nextRapidFire)
            return violations[_random.Next()];
        // On average one apart, and not like clockwork.
        _nextRapidFire = Math.Floor(_nextRapidFire) + 1 + _random.Fraction();
        return ViolationPattern.RapidFire;
    }

    /// <summary>Also follows up an earlier payment, so that all events together have the statuses' shares.</summary>
    private Payment NextClean(long now)
    {
        var status = Profile.Statuses[_random.Next()];
        if (status == StatusNames.Refunded)
        {
            if (_refundable.TryTake(_customers, now, out var refunded))
                return refunded with { Status = StatusNames.Refunded, Type = Refund };
            status = StatusNames.Completed;
        }

        var mayEnd = status == StatusNames.Completed || (status == StatusNames.Declined && (_random.Next() & 1) == 0);
        return Remember(mayEnd && _pending.TryTake(_customers, now, out var pending) ? pending with { Status = status, Micros = now } : NewPayment(status, now));
    }

    private Payment Remember(in Payment payment)
    {
        // Who only passes by is not counted, and comes back for nothing.
        if (payment.Customer < 0)
            return payment;
        if (payment.Status == StatusNames.Pending)
            _pending.Add(payment);
        else if (payment.Status == StatusNames.Completed)
            _refundable.Add(payment);
        return payment;
    }

    private Payment NewPayment(byte[] status, long now)
    {
        var currency = Profile.Currencies[_random.Next()];
        return NewPayment(status, currency, currency.CleanAmount(ref _random), _customers.Choose(ref _random, now), now);
    }

    private Payment NewPayment(byte[] status, CurrencyProfile currency, long milli, int customer, long now) => new(
        _random.Next(), _random.Next(), milli, currency, Profile.Methods[_random.Next()], status, Profile.TransactionTypes[_random.Next()], customer, _random.Below(_pools.Merchants.Length), now);

    /// <summary>Of a payment that has this one event.</summary>
    private byte[] OnlyStatus() => Profile.Statuses[_random.Next()] is var status && (status == StatusNames.Refunded || status == StatusNames.Pending) ? StatusNames.Completed : status;

    private Payment Planted(ViolationPattern pattern, long now)
    {
        switch (pattern)
        {
            case ViolationPattern.LargeAmount:
                var currency = Profile.PlantedCurrencies[_random.Next()];
                return NewPayment(OnlyStatus(), currency, currency.LargeAmount(ref _random), _customers.Choose(ref _random, now), now);
            case ViolationPattern.CardDataMissing or ViolationPattern.UnknownCardBrand or ViolationPattern.FullCardNumber:
                return NewPayment(OnlyStatus(), now) with { Method = Profile.CardMethods[_random.Next()] };
            case ViolationPattern.RefundWithoutPayment:
                return NewPayment(StatusNames.Refunded, now) with { Type = Refund };
            case ViolationPattern.StatusMismatch:
                return (_random.Next() & 1) == 0 ? _mismatched with { Type = Refund } : _mismatched with { Status = StatusNames.Refunded, Type = PaymentType };
            default:
                return NewPayment(OnlyStatus(), now);
        }
    }

    private PlantedGroup Begin(ViolationPattern pattern, long now)
    {
        var customer = _customers.Newcomer();
        var (currency, second) = (Profile.PlantedCurrencies[_random.Next()], Profile.PlantedCurrencies[0]);
        var milli = 0L;
        if (pattern == ViolationPattern.CurrencyMismatch)
            (currency, second, milli) = TwoCurrencies();
        var status = pattern == ViolationPattern.CurrencyMismatch ? StatusNames.Pending : StatusNames.Completed;
        return new(pattern, ++_lastGroup, PlantedGroup.Plan(pattern, now, ref _random), NewPayment(status, currency, milli, customer, now), second);
    }

    /// <summary>Two that differ, and an amount that is a clean one in both.</summary>
    private (CurrencyProfile First, CurrencyProfile Second, long Milli) TwoCurrencies()
    {
        var first = Profile.Currencies[_random.Next()];
        var second = Profile.Currencies[_random.Next()];
        for (var i = 0; i < 8 && second.Code.AsSpan().SequenceEqual(first.Code); i++)
            second = Profile.Currencies[_random.Next()];
        if (second.Code.AsSpan().SequenceEqual(first.Code))
            second = first.Code.AsSpan().SequenceEqual(Profile.OtherCurrency.Code) ? Profile.AnotherCurrency : Profile.OtherCurrency;
        // Not below one unit: some currencies have no smaller one.
        var milli = Math.Max(1_000, (first.Threshold < second.Threshold ? first : second).CleanAmount(ref _random));
        return (first, second, milli);
    }

    private GeneratedEvent WriteNext(IBufferWriter<byte> output, PlantedGroup group)
    {
        var (first, at) = (group.First, group.Due);
        var payment = group.Pattern switch
        {
            ViolationPattern.Structuring => NewPayment(StatusNames.Completed, first.Currency, first.Currency.StructuredAmount(ref _random), first.Customer, at),
            ViolationPattern.RapidFire => NewPayment(OnlyStatus(), first.Currency, first.Currency.CleanAmount(ref _random), first.Customer, at) with { Merchant = first.Merchant },
            _ => group.Written == 0 ? first : first with { Currency = group.Currency, Status = StatusNames.Completed },
        };
        group.Written++;
        if (!group.IsDone)
            _groups.Enqueue(group, (group.Due, group.Number));
        return _writer.Write(output, payment, group.Pattern, group.Number, at);
    }
}
