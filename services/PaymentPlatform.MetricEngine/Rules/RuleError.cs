namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A fault of a rule file.</summary>
/// <param name="File">As the caller named it.</param>
/// <param name="Line">From 1.</param>
/// <param name="Rule">The rule's name; null outside of a rule, and for one without a name.</param>
/// <param name="Message">What is wrong and what to do.</param>
public sealed record RuleError(string File, int Line, string? Rule, string Message)
{
    public override string ToString() => Rule is null ? $"{File}:{Line}: {Message}" : $"{File}:{Line}: rule {Rule}: {Message}";
}
