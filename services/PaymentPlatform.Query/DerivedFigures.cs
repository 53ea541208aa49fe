using System.Globalization;
using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Query;

/// <summary>Rules of type <c>derived</c>, and what they are made of, at the versions of one set of rules.</summary>
public sealed class DerivedFigures
{
    private readonly Dictionary<string, RuleDefinition> _rules;

    /// <param name="ruleName">Only this one; null for all.</param>
    public DerivedFigures(RuleSet rules, string? ruleName)
    {
        _rules = rules.Rules.ToDictionary(r => r.Name);
        foreach (var rule in rules.Rules.Where(r => r.Enabled && r.Formula is not null && (ruleName is null || r.Name == ruleName)))
        {
            var parts = Parts(rule).Distinct().ToList();
            Rows.AddRange(parts.Select(part => new Row(rule.Name, Text(rule.Version), parts.Count, part.Name, Text(part.Version))));
        }
    }

    /// <summary>A row for each rule with windows that a derived rule is made of, in the end.</summary>
    public List<Row> Rows { get; } = [];

    /// <param name="buckets">By rule.</param>
    /// <returns>Null where a divisor is 0.</returns>
    public decimal? Evaluate(string name, IReadOnlyDictionary<string, BucketValues> buckets) => _rules[name] switch
    {
        { Formula: { } formula } => formula.Evaluate(part => Evaluate(part, buckets)),
        var rule => buckets[name].Figure(rule.MetricType),
    };

    private IEnumerable<RuleDefinition> Parts(RuleDefinition rule) => rule.Formula is { } formula ? formula.Names.SelectMany(name => Parts(_rules[name])) : [rule];

    private static string Text(int version) => version.ToString(CultureInfo.InvariantCulture);

    /// <param name="Count">The parts of the derived rule.</param>
    public sealed record Row(string Name, string Version, int Count, string Part, string PartVersion);
}
