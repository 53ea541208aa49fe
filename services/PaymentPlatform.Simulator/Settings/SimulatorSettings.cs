namespace PaymentPlatform.Simulator;

/// <summary>All that simulator.yaml can say. The values here are those of an empty file: realistic, and without violations.</summary>
public sealed record SimulatorSettings
{
    /// <summary>Where events of a fixed seed begin, unless told otherwise.</summary>
    public static readonly DateTimeOffset FixedStart = new(2025, 12, 1, 0, 0, 0, TimeSpan.Zero);

    public static SimulatorSettings Default { get; } = new();

    /// <summary>Null leaves it to the command line.</summary>
    public SimulatorTarget? Target { get; init; }

    public Uri? Url { get; init; }

    public string? File { get; init; }

    /// <summary>Events that go out together.</summary>
    public int BatchSize { get; init; } = 1_000;

    /// <summary>Events a second; 0 is as fast as the target takes them; null is 100 to stream and http, 0 to file and stdout.</summary>
    public double? Rate { get; init; }

    /// <summary>How many events; null goes on.</summary>
    public long? Total { get; init; }

    /// <summary>Of sending, by the clock; null goes on.</summary>
    public TimeSpan? Duration { get; init; }

    public long? Seed { get; init; }

    public int Customers { get; init; } = 20_000;

    public int Merchants { get; init; } = 2_000;

    /// <summary>Where the events' time begins; null with <see cref="FollowClock"/> unset lets the seed and the target decide.</summary>
    public DateTimeOffset? Start { get; init; }

    /// <summary>The events' time is the clock's.</summary>
    public bool FollowClock { get; init; }

    /// <summary>Events a second of the events' own time, where that does not follow the clock.</summary>
    public double EventTimeRate { get; init; } = 100;

    /// <summary>In US dollars; other currencies are scaled, unless <see cref="AmountsByCurrency"/> has them.</summary>
    public AmountSettings Amounts { get; init; } = new();

    public IReadOnlyDictionary<string, AmountSettings> AmountsByCurrency { get; init; } = new Dictionary<string, AmountSettings>();

    public IReadOnlyList<Share> PaymentMethods { get; init; } =
        [new("credit_card", 0.47), new("debit_card", 0.22), new("digital_wallet", 0.11), new("bank_transfer", 0.09), new("cryptocurrency", 0.07), new("cash_equivalent", 0.04)];

    public IReadOnlyList<Share> PaymentStatuses { get; init; } =
    [
        new("completed", 0.80), new("declined", 0.08), new("pending", 0.04), new("refunded", 0.02), new("error", 0.02), new("timeout", 0.02), new("failed", 0.01), new("cancelled", 0.01),
    ];

    public IReadOnlyList<Share> Currencies { get; init; } =
        [new("USD", 0.63), new("EUR", 0.20), new("GBP", 0.07), new("JPY", 0.05), new("CAD", 0.03), new("AUD", 0.02)];

    public IReadOnlyList<Share> Countries { get; init; } =
    [
        new("US", 0.45), new("DE", 0.13), new("GB", 0.12), new("FR", 0.08), new("CA", 0.05), new("AU", 0.04), new("JP", 0.03), new("KR", 0.02), new("MX", 0.02), new("NZ", 0.02),
        new("NL", 0.01), new("BR", 0.01), new("SG", 0.01), new("IN", 0.01),
    ];

    public IReadOnlyList<Share> MerchantCategories { get; init; } =
    [
        new("retail", 0.29), new("travel", 0.16), new("food_beverage", 0.15), new("other", 0.12), new("entertainment", 0.10), new("technology", 0.09), new("healthcare", 0.06),
        new("education", 0.03),
    ];

    /// <summary>Of events that are no refunds; those are always of the type refund.</summary>
    public IReadOnlyList<Share> TransactionTypes { get; init; } = [new("payment", 1)];

    /// <summary>24 parts, from midnight UTC; null is the same all day.</summary>
    public IReadOnlyList<double>? HoursOfDay { get; init; }

    /// <summary>Amounts over these are high; structuring stays just below. Both are planted only in these currencies.</summary>
    public IReadOnlyDictionary<string, decimal> HighValue { get; init; } =
        new Dictionary<string, decimal> { ["USD"] = 10_000, ["EUR"] = 10_000, ["GBP"] = 10_000, ["JPY"] = 1_500_000, ["CAD"] = 14_000, ["AUD"] = 15_000 };

    /// <summary>Scores over it are high.</summary>
    public double RiskScore { get; init; } = 0.8;

    /// <summary>Share of all events, by pattern; absent is none.</summary>
    public IReadOnlyDictionary<ViolationPattern, double> Violations { get; init; } = new Dictionary<ViolationPattern, double>();

    /// <summary>Whether events name their violation in compliance_violations.</summary>
    public bool MarkViolations { get; init; }

    /// <summary>The share of invalid events, spread evenly over the patterns of data quality.</summary>
    public SimulatorSettings WithInvalidShare(double share)
    {
        var patterns = ViolationPatterns.All.Where(p => ViolationPatterns.Family(p) == ViolationFamily.DataQuality).ToList();
        return share == 0 ? this : this with { Violations = patterns.ToDictionary(p => p, _ => share / patterns.Count) };
    }
}
