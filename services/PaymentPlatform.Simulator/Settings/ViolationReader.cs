using System.Globalization;

namespace PaymentPlatform.Simulator;

/// <summary>Reads how often which pattern is planted.</summary>
internal static class ViolationReader
{
    private const string Root = "violations";

    public static SimulatorSettings Read(SettingsSection root, SimulatorSettings settings)
    {
        if (root.Section(Root) is not { } violations)
            return settings;
        var shares = new Dictionary<ViolationPattern, double>();
        foreach (var family in ViolationPatterns.Families)
            ReadFamily(violations, family, shares);
        settings = settings with { Violations = shares, MarkViolations = violations.Flag("mark") ?? false };
        violations.RejectUnknown();

        var sum = shares.Values.Sum();
        if (sum > 1)
            throw root.Fault(Root, string.Create(CultureInfo.InvariantCulture, $"sums to {sum:0.######}: the shares must not sum to more than 1."));
        CheckPossible(root, settings);
        return settings;
    }

    /// <summary>One share for all of a family, spread as the defaults are, or one a pattern.</summary>
    private static void ReadFamily(SettingsSection violations, ViolationFamily family, Dictionary<ViolationPattern, double> shares)
    {
        var name = ViolationPatterns.Name(family);
        var patterns = ViolationPatterns.All.Where(p => ViolationPatterns.Family(p) == family).ToList();
        if (violations.Find(name) is YamlDotNet.RepresentationModel.YamlScalarNode)
        {
            var all = violations.Number(name, 0, 1)!.Value;
            foreach (var pattern in patterns)
                shares[pattern] = all * ViolationPatterns.DefaultShare(pattern) / patterns.Sum(ViolationPatterns.DefaultShare);
        }
        else if (violations.Section(name) is { } section)
        {
            foreach (var pattern in patterns)
                shares[pattern] = section.Number(ViolationPatterns.Name(pattern), 0, 1) ?? 0;
            section.RejectUnknown();
        }
    }

    private static void CheckPossible(SettingsSection root, SimulatorSettings settings)
    {
        var inAmounts = Planted(ViolationPattern.Structuring, ViolationPattern.LargeAmount);
        if (inAmounts is not null && !settings.Currencies.Any(c => c.Part > 0 && settings.HighValue.ContainsKey(c.Name)))
            throw root.Fault(Root, $"has {inAmounts}, but thresholds.high_value has none of the currencies.");
        var onCards = Planted(ViolationPattern.CardDataMissing, ViolationPattern.UnknownCardBrand, ViolationPattern.FullCardNumber);
        if (onCards is not null && !settings.PaymentMethods.Any(m => m.Part > 0 && TrafficProfile.IsCard(m.Name)))
            throw root.Fault(Root, $"has {onCards}, but payment_methods has neither credit_card nor debit_card.");

        string? Planted(params ViolationPattern[] patterns) =>
            patterns.Where(p => settings.Violations.GetValueOrDefault(p) > 0).Select(ViolationPatterns.Name).FirstOrDefault();
    }
}
