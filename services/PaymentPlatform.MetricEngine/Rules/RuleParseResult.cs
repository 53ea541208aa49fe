using System.Diagnostics.CodeAnalysis;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>Either a whole rule set or everything that is wrong with the file.</summary>
public sealed class RuleParseResult
{
    internal RuleParseResult(RuleSet? rules, IReadOnlyList<RuleError> errors) => (RuleSet, Errors) = (rules, errors);

    public RuleSet? RuleSet { get; }

    /// <summary>By line; empty when the file was taken.</summary>
    public IReadOnlyList<RuleError> Errors { get; }

    [MemberNotNullWhen(true, nameof(RuleSet))]
    public bool IsValid => RuleSet is not null;
}
