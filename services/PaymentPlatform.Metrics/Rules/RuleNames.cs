using System.Globalization;
using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>A rule's version and type as the tables have them.</summary>
internal static class RuleNames
{
    private static readonly string[] s_types = [.. Enum.GetValues<MetricType>().Select(type => type.ToString().ToLowerInvariant())];

    public static string Type(RuleDefinition rule) => s_types[(int)rule.MetricType];

    public static string Version(RuleDefinition rule) => rule.Version.ToString(CultureInfo.InvariantCulture);
}
