using System.Globalization;

namespace PaymentPlatform.Simulator;

/// <summary>Reads amounts and the thresholds that they must keep clear of.</summary>
internal static class AmountReader
{
    /// <summary>From here on an amount is just under its threshold.</summary>
    public const double StructuringFrom = 0.9;

    private const double Most = 1e11;

    public static SimulatorSettings Read(SettingsSection root, SimulatorSettings settings)
    {
        settings = ReadThresholds(root, settings);
        if (root.Section("amounts") is not { } amounts)
        {
            foreach (var currency in settings.Currencies)
                CheckMax(root, "currencies", settings, currency.Name, settings.Amounts.Max * CurrencyTraits.Scale(currency.Name));
            return settings;
        }

        var general = ReadOne(amounts, settings.Amounts);
        var own = new Dictionary<string, AmountSettings>();
        if (amounts.Section("by_currency") is { } byCurrency)
        {
            foreach (var (code, key, _) in byCurrency.Entries.ToList())
            {
                if (CurrencyTraits.FaultOf(code) is { } fault)
                    throw byCurrency.Fault(key, $"{byCurrency.PathOf(code)} {fault}");
                var section = byCurrency.Section(code) ?? throw byCurrency.Fault(code, "needs fields of its own.");
                own[code] = ReadOne(section, Scaled(general, CurrencyTraits.Scale(code)));
                section.RejectUnknown();
                CheckMax(section, "max", settings, code, own[code].Max);
            }
        }

        amounts.RejectUnknown();
        foreach (var currency in settings.Currencies.Where(c => !own.ContainsKey(c.Name)))
            CheckMax(amounts, "max", settings, currency.Name, general.Max * CurrencyTraits.Scale(currency.Name));
        return settings with { Amounts = general, AmountsByCurrency = own };
    }

    /// <summary>The threshold where one is set, else 10,000 dollars' worth.</summary>
    public static double Threshold(SimulatorSettings settings, string currency) =>
        settings.HighValue.TryGetValue(currency, out var set) ? (double)set : 10_000 * CurrencyTraits.Scale(currency);

    public static AmountSettings Scaled(AmountSettings amounts, double scale) => amounts with
    {
        Mean = amounts.Mean * scale,
        Deviation = amounts.Deviation * scale,
        Min = amounts.Min * scale,
        Max = amounts.Max * scale,
        SecondMean = amounts.SecondMean * scale,
        SecondDeviation = amounts.SecondDeviation * scale,
    };

    private static AmountSettings ReadOne(SettingsSection section, AmountSettings defaults)
    {
        var amounts = new AmountSettings
        {
            Distribution = section.OneOf<AmountDistribution>("distribution") ?? defaults.Distribution,
            Mean = section.Number("mean", 0.001, Most) ?? defaults.Mean,
            Deviation = section.Number("deviation", 0, Most) ?? defaults.Deviation,
            Min = section.Number("min", 0, Most) ?? defaults.Min,
            Max = section.Number("max", 0.01, Most) ?? defaults.Max,
            SecondMean = section.Number("second_mean", 0.001, Most) ?? defaults.SecondMean,
            SecondDeviation = section.Number("second_deviation", 0, Most) ?? defaults.SecondDeviation,
            SecondShare = section.Number("second_share", 0, 1) ?? defaults.SecondShare,
        };
        if (amounts.Min >= amounts.Max)
            throw section.Fault(section.Has("min") ? "min" : "max", string.Create(CultureInfo.InvariantCulture, $"leaves no room: min is {amounts.Min}, max is {amounts.Max}."));
        if (amounts.Distribution != AmountDistribution.Uniform)
            CheckBetween(section, "mean", amounts.Mean, amounts);
        if (amounts.Distribution == AmountDistribution.Bimodal)
            CheckBetween(section, "second_mean", amounts.SecondMean, amounts);
        return amounts;
    }

    private static void CheckBetween(SettingsSection section, string name, double mean, AmountSettings amounts)
    {
        if (mean < amounts.Min || mean > amounts.Max)
            throw section.Fault(name, string.Create(CultureInfo.InvariantCulture, $"is {mean}: it must lie between min ({amounts.Min}) and max ({amounts.Max})."));
    }

    private static void CheckMax(SettingsSection section, string name, SimulatorSettings settings, string currency, double max)
    {
        var threshold = Threshold(settings, currency);
        if (max >= StructuringFrom * threshold)
            throw section.Fault(name, string.Create(
                CultureInfo.InvariantCulture,
                $"allows clean amounts up to {max} {currency}: they must stay below 90 % of thresholds.high_value ({threshold}), or they would match what is planted."));
    }

    private static SimulatorSettings ReadThresholds(SettingsSection root, SimulatorSettings settings)
    {
        if (root.Section("thresholds") is not { } thresholds)
            return settings;
        var highValue = settings.HighValue;
        if (thresholds.Section("high_value") is { } section)
        {
            var read = new Dictionary<string, decimal>();
            foreach (var (code, key, _) in section.Entries.ToList())
            {
                if (CurrencyTraits.FaultOf(code) is { } fault)
                    throw section.Fault(key, $"{section.PathOf(code)} {fault}");
                read[code] = (decimal)(section.Number(code, 1, Most / 100) ?? throw section.Fault(code, "needs an amount."));
            }

            highValue = read;
        }

        settings = settings with { HighValue = highValue, RiskScore = thresholds.Number("risk_score", 0.01, 0.99) ?? settings.RiskScore };
        thresholds.RejectUnknown();
        return settings;
    }
}
