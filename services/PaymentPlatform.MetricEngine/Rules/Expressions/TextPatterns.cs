using System.Text.RegularExpressions;

namespace PaymentPlatform.MetricEngine.Rules;

internal static class TextPatterns
{
    /// <summary>Linear time whatever the text, as a rule file is written by many and read against what strangers send.</summary>
    public const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;
}
