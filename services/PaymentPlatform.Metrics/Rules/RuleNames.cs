using System.Globalization;
using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>A rule's version and type as the tables have them.</summary>
internal static class RuleNames
{
    private static readonly string[] s_types = [.. Enum.GetValues<MetricType>().Select(type => type.ToString().ToLowerInvariant())];

    public static string Type(MetricType type) => s_types[(int)type];

    public static string Version(int version) => version.ToString(CultureInfo.InvariantCulture);
}
