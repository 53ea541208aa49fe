using System.Text;
using System.Text.Json;

namespace PaymentPlatform.Simulator;

/// <summary>Settings in the form that the generator draws from.</summary>
internal sealed class TrafficProfile
{
    public TrafficProfile(SimulatorSettings settings, bool validOnly)
    {
        Methods = Names(settings.PaymentMethods);
        var cards = settings.PaymentMethods.Where(m => IsCard(m.Name) && m.Part > 0).ToList();
        CardMethods = cards.Count == 0 ? Methods : Names(cards);
        Statuses = new([.. settings.PaymentStatuses.Select(s => (StatusNames.Of(s.Name), s.Part))]);
        Countries = Names(settings.Countries);
        Categories = Names(settings.MerchantCategories);
        TransactionTypes = Names(settings.TransactionTypes);

        var currencies = settings.Currencies.Select(c => (Value: new CurrencyProfile(c.Name, settings), c.Part)).ToList();
        Currencies = new(currencies);
        var planted = currencies.Where(c => c.Value.HasThreshold && c.Part > 0).ToList();
        PlantedCurrencies = planted.Count == 0 ? Currencies : new(planted);
        OtherCurrency = new(settings.Currencies.Any(c => c is { Name: "EUR", Part: < 1 }) ? "EUR" : "USD", settings);
        AnotherCurrency = new("GBP", settings);

        HourFactors = settings.HoursOfDay is { } hours ? [.. hours.Select(h => h * 24)] : [];
        MicrosPerEvent = 1_000_000 / settings.EventTimeRate;
        RiskLimit = (int)(settings.RiskScore * 1_000);
        Mark = settings.MarkViolations;
        LeftOut = validOnly ? [.. settings.Violations.Where(v => v.Value > 0 && ViolationPatterns.IsInvalid(v.Key)).Select(v => v.Key).Order()] : [];
        (Violations, RapidFireBegins) = Plan(settings.Violations.Where(v => v.Value > 0 && !LeftOut.Contains(v.Key)).ToDictionary());
    }

    public ShareTable<byte[]> Methods { get; }

    /// <summary>The methods that have card data.</summary>
    public ShareTable<byte[]> CardMethods { get; }

    public ShareTable<byte[]> Statuses { get; }

    public ShareTable<byte[]> Countries { get; }

    public ShareTable<byte[]> Categories { get; }

    public ShareTable<byte[]> TransactionTypes { get; }

    public ShareTable<CurrencyProfile> Currencies { get; }

    /// <summary>Those with a threshold.</summary>
    public ShareTable<CurrencyProfile> PlantedCurrencies { get; }

    /// <summary>Two that a payment's later event may wrongly have, where the shares know of one only.</summary>
    public CurrencyProfile OtherCurrency { get; }

    public CurrencyProfile AnotherCurrency { get; }

    /// <summary>By hour, 1 on average; empty is the same all day.</summary>
    public double[] HourFactors { get; }

    public double MicrosPerEvent { get; }

    /// <summary>In thousandths: scores over it are high.</summary>
    public int RiskLimit { get; }

    public bool Mark { get; }

    /// <summary>Which pattern begins at an event that no earlier one asked for; null when there are none.</summary>
    public ShareTable<ViolationPattern>? Violations { get; }

    /// <summary>How often rapid fire begins at such an event. It is not drawn: a group is so large that chance would leave a short run with twice its share or with none.</summary>
    public double RapidFireBegins { get; }

    /// <summary>Patterns that the target takes none of.</summary>
    public IReadOnlyList<ViolationPattern> LeftOut { get; }

    public static bool IsCard(string method) => method is "credit_card" or "debit_card";

    public double HourFactor(long micros) => HourFactors.Length == 0 ? 1 : HourFactors[(int)(micros / 3_600_000_000 % 24)];

    /// <summary>
    /// A group's later events come by themselves, when they are due. What is drawn at the other events is how often a group, or a pattern of one event, begins,
    /// so that each pattern has its share of all events.
    /// </summary>
    private static (ShareTable<ViolationPattern>? Drawn, double RapidFireBegins) Plan(Dictionary<ViolationPattern, double> shares)
    {
        if (shares.Count == 0)
            return (null, 0);
        var begins = shares.Select(s => (Value: s.Key, Part: s.Value / Mean(s.Key))).ToList();
        var later = begins.Sum(b => b.Part * (Mean(b.Value) - 1));
        var drawn = begins.Where(b => b.Value != ViolationPattern.RapidFire);
        return (new([.. drawn, (ViolationPattern.None, 1 - later - begins.Sum(b => b.Part))]), begins.Where(b => b.Value == ViolationPattern.RapidFire).Sum(b => b.Part) / (1 - later));

        static double Mean(ViolationPattern pattern) => ViolationPatterns.GroupSize(pattern) is var (least, most) ? (least + most) / 2.0 : 1;
    }

    private static ShareTable<byte[]> Names(IReadOnlyList<Share> shares) => new([.. shares.Select(s => (Escaped(s.Name), s.Part))]);

    private static byte[] Escaped(string name) => Encoding.UTF8.GetBytes(JsonEncodedText.Encode(name, SimulatorJson.Relaxed.Encoder).ToString());
}
