using System.Globalization;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A named number, or one by currency.</summary>
/// <param name="Default">For every other currency; null: comparisons with it are false.</param>
internal sealed record ThresholdTable(string Name, decimal? Default, IReadOnlyDictionary<string, decimal> ByCurrency)
{
    public ThresholdTable Times(decimal factor) => factor == 1 ? this : new(Name, Default * factor, ByCurrency.ToDictionary(p => p.Key, p => p.Value * factor));

    /// <summary>Its values, for the hash of a rule.</summary>
    public string Canonical => string.Create(
        CultureInfo.InvariantCulture,
        $"[{Default / 1.0000000000000000000000000000m}{string.Concat(ByCurrency.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => string.Create(CultureInfo.InvariantCulture, $";{p.Key}={p.Value / 1.0000000000000000000000000000m}")))}]");
}
