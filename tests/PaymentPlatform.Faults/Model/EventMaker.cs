using System.Globalization;
using System.Text;
using PaymentPlatform.Faults.Instances;
using PaymentPlatform.Faults.Scenarios;

namespace PaymentPlatform.Faults.Model;

/// <summary>Makes a run's events: valid ones as payments are, and those that somebody will send one day. Bytes, validity and figures come from here alone, never from the product's parser.</summary>
internal sealed class EventMaker(Scenario scenario, FaultTally tally, DateTime now)
{
    private static readonly string[] Methods = ["credit_card", "debit_card", "bank_transfer", "digital_wallet", "pay-später", "现金"];
    private static readonly string[] Currencies = ["USD", "EUR", "JPY", "GBP"];
    private static readonly string[] Statuses = ["completed", "completed", "success", "declined", "failed", "pending", "refunded", "timeout"];

    /// <summary>Test numbers of the card brands' documentation, and what must be left of them.</summary>
    public static readonly (string Number, string Masked)[] Cards =
    [
        ("4111111111111111", "411111******1111"), ("5555555555554444", "555555******4444"), ("378282246310005", "378282*****0005"), ("6011111111111117", "601111******1117"),
    ];

    /// <summary>Finds any of the numbers, also in bytes that are written in hex.</summary>
    public static string CardPattern { get; } = string.Join('|', Cards.SelectMany(c => new[] { c.Number, Convert.ToHexStringLower(Encoding.ASCII.GetBytes(c.Number)) }));

    private readonly Random _random = scenario.RandomFor("events");

    public IReadOnlyList<SentEvent> Make() => [.. Enumerable.Range(0, scenario.Events).Select(Make)];

    /// <summary>What somebody makes of a dead letter.</summary>
    public SentEvent Correct(int number)
    {
        var (customer, figures) = ($"C{_random.Next(60)}", new EventFigures(Time(), Pick(Methods), Pick(Currencies), Pick(Statuses), _random.Next(1, 1_000_000) / 100m));
        var payload = Json(number, customer, figures, ",\"channel\":\"corrected\"");
        return new(number, payload, payload, customer, Stored(figures), IsRefusedAtDoor: false);
    }

    private SentEvent Make(int number)
    {
        var customer = Draw(FaultKind.HotKey, 0.5) ? "hot" : $"C{_random.Next(60)}";
        var time = Time();
        var amount = _random.Next(1, 2_000_000_000) / (_random.Next(2) == 0 ? 100m : 10_000m);
        var figures = new EventFigures(time, Pick(Methods), Pick(Currencies), Pick(Statuses), amount);
        if (Draw(FaultKind.Poison, 0.1))
            return Poison(number, customer, figures);
        if (Draw(FaultKind.CardNumber, 0.05))
        {
            var (card, masked) = Cards[_random.Next(Cards.Length)];
            return new(number, Json(number, customer, figures, $",\"note\":\"paid with {card}\""), Json(number, customer, figures, $",\"note\":\"paid with {masked}\""), customer, Stored(figures), IsRefusedAtDoor: true);
        }

        if (Draw(FaultKind.Oversized, 0.03))
        {
            var large = Json(number, customer, figures, $",\"metadata\":{{\"pad\":\"{new string('x', _random.Next(InstanceSettings.MaxEventBytes, 100_000))}\"}}");
            return new(number, large, large, customer, Stored(figures), IsRefusedAtDoor: true);
        }

        var payload = Json(number, customer, figures, "");
        return new(number, payload, payload, customer, Stored(figures), IsRefusedAtDoor: false);
    }

    /// <summary>Late ones stay in the months that figures are kept for; the others lie a little before now, so that no clock of ours can put them into the future.</summary>
    private DateTime Time()
    {
        var time = now - (Draw(FaultKind.LateEvent, 0.1) ? TimeSpan.FromMinutes(_random.Next(10, 60 * 24 * 20)) : TimeSpan.FromMilliseconds(_random.Next(360_000, 900_000)));
        return new(time.Ticks - time.Ticks % TimeSpan.TicksPerMillisecond, DateTimeKind.Utc);
    }

    private SentEvent Poison(int number, string customer, EventFigures figures)
    {
        var whole = Encoding.UTF8.GetString(Json(number, customer, figures, ""));
        var text = _random.Next(7) switch
        {
            0 => whole[..(whole.IndexOf("customer_id", StringComparison.Ordinal) + 20)],
            1 => $"<payment id='{number}'/>",
            2 => whole.Replace("\"amount\":", "\"amount\":-"),
            3 => whole.Replace($"\"{figures.Currency}\"", "\"ZZZ\""),
            4 => whole.Replace("\"payment_status\":\"", "\"payment_status\":\"un"),
            5 => $"[{number},{whole}]",
            _ => whole.Replace("\"transaction_timestamp\"", "\"no_timestamp\""),
        };
        var bytes = Encoding.UTF8.GetBytes(text);
        return new(number, bytes, bytes, customer, null, IsRefusedAtDoor: true);
    }

    private static EventFigures Stored(EventFigures sent) => sent with { Status = sent.Status == "success" ? "completed" : sent.Status };

    private static byte[] Json(int number, string customer, EventFigures figures, string more) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"transaction_id":"tx-{{number}}","transaction_timestamp":"{{figures.Time:yyyy-MM-ddTHH:mm:ss.fff}}Z","amount":{{figures.Amount}},"currency":"{{figures.Currency}}","payment_method":"{{figures.Method}}","payment_status":"{{figures.Status}}","customer_id":"{{customer}}","merchant_id":"M{{number % 17}}"{{more}}}"""));

    private bool Draw(FaultKind kind, double rate)
    {
        var hit = _random.NextDouble() < rate;
        if (!hit || !scenario.Enabled.Contains(kind))
            return false;
        tally.Add(kind);
        return true;
    }

    private string Pick(string[] values) => values[_random.Next(values.Length)];
}
