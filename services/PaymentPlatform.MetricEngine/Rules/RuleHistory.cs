namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>What each rule meant under each version it ever had: results are kept by version, also those of a rule that is gone, and a version must not come to mean something else. Thread-safe.</summary>
public sealed class RuleHistory
{
    private readonly Lock _turn = new();
    private readonly Dictionary<string, SortedList<int, Meaning>> _rules = [];
    private RuleSet? _latest;

    /// <summary>The version of the rules up to which it knows all; 0 at first.</summary>
    public long Newest { get; private set; }

    /// <summary>Takes note of the next version of the rules. One that it has already changes nothing, and neither does one that this process can't read: it has to be possible to put that right.</summary>
    public void Add(long version, string yaml)
    {
        lock (_turn)
        {
            if (version <= Newest)
                return;
            _latest = RuleSet.Parse(yaml, "").RuleSet;
            foreach (var rule in _latest?.Rules ?? [])
            {
                if (!_rules.TryGetValue(rule.Name, out var meanings))
                    _rules.Add(rule.Name, meanings = []);
                meanings[rule.Version] = new(rule.Hash, version);
            }

            Newest = version;
        }
    }

    /// <summary>What can't follow: rules that mean something else than the last time that they had this version, or than in the latest file under a higher one.</summary>
    /// <param name="fileName">For messages.</param>
    public IReadOnlyList<RuleError> Check(RuleSet next, string fileName)
    {
        lock (_turn)
            return [.. next.Rules.Select(rule => Fault(rule, fileName)).OfType<RuleError>()];
    }

    private RuleError? Fault(RuleDefinition rule, string fileName)
    {
        if (!_rules.TryGetValue(rule.Name, out var meanings))
            return null;
        var higher = $"raise its version to {meanings.Keys[^1] + 1}.";
        if (meanings.TryGetValue(rule.Version, out var before) && before.Hash != rule.Hash)
            return new(fileName, rule.Line, rule.Name, $"means something else than under version {rule.Version} in version {before.In} of the rules: {higher}");
        return _latest?.Rules.FirstOrDefault(r => r.Name == rule.Name) is { } latest && rule.Version < latest.Version && rule.Hash != latest.Hash
            ? new(fileName, rule.Line, rule.Name, $"means something else than in the latest rules, where it has version {latest.Version}: {higher}")
            : null;
    }

    /// <param name="In">The last version of the rules that has it.</param>
    private readonly record struct Meaning(string Hash, long In);
}
