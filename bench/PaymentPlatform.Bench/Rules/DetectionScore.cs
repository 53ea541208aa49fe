using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Simulator;

namespace PaymentPlatform.Bench.Rules;

/// <summary>
/// Runs the simulator's events with planted violations through parser and rules, as the metrics service would, and compares hits with what was planted. Each pattern is the work of the rule with its name;
/// data quality is the validator's. Structuring, rapid fire and currency mismatches are groups of events: one counts as found when a hit names one of its events, and a hit is false when it names an event of no such group.
/// A group that the end of the run cut short before it was one is left out, as in the truth file.
/// </summary>
internal sealed class DetectionScore
{
    private const int Partitions = 4;
    private const int BatchSize = 1_000;
    private const int MostMisses = 50;

    private readonly Dictionary<long, GeneratedEvent> _planted = [];
    private readonly List<(string Rule, long Number)> _hits = [];

    private DetectionScore()
    {
    }

    public IReadOnlyList<DetectionRow> Rows { get; private set; } = [];

    /// <summary>What was not found, and what was found where nothing was planted.</summary>
    public IReadOnlyList<string> Misses { get; private set; } = [];

    public int Valid { get; private set; }

    public int Planted => _planted.Count;

    public static DetectionScore Run(RuleSet rules, string settingsFile, int events, long seed)
    {
        var score = new DetectionScore();
        score.Evaluate(rules, SettingsReader.ReadFile(settingsFile), events, seed);
        score.Compare(rules);
        return score;
    }

    private void Evaluate(RuleSet rules, SimulatorSettings settings, int events, long seed)
    {
        var generator = new TransactionGenerator(settings, seed);
        var clock = new EventClock(SimulatorSettings.FixedStart);
        var parser = new TransactionParser(new() { CardData = CardDataMode.Mask });
        var evaluator = new RuleEvaluator(rules);
        var states = Enumerable.Range(0, Partitions).Select(_ => new PartitionRuleState(rules)).ToArray();
        var output = new RuleOutput();
        var batch = new EventBatch();
        for (long first = 1; first <= events; first += BatchSize)
        {
            batch.Fill(generator, (int)Math.Min(BatchSize, events - first + 1), first, clock, 0);
            for (var i = 0; i < batch.Count; i++)
            {
                var number = first + i;
                if (batch[i].Pattern != ViolationPattern.None)
                    _planted.Add(number, batch[i]);
                // Nothing of the run is as late as that, and what is planted in the future lies decades ahead.
                var result = parser.Parse(batch.Line(i), (SimulatorSettings.FixedStart.AddYears(1).ToUnixTimeMilliseconds()) * 1_000);
                if (!result.IsValid)
                    continue;
                Valid++;
                evaluator.Evaluate(states[Partition(result.Transaction.PartitionKey.Span)], result, number, 0, output);
            }

            _hits.AddRange(output.Hits.Select(hit => (hit.Rule.Name, hit.Offset)));
            output.Clear();
        }
    }

    private static int Partition(ReadOnlySpan<byte> key)
    {
        var hash = 17u;
        foreach (var b in key)
            hash = hash * 31 + b;
        return (int)(hash % Partitions);
    }

    private void Compare(RuleSet rules)
    {
        List<DetectionRow> rows = [];
        List<string> misses = [];
        var hits = _hits.ToLookup(hit => hit.Rule, hit => hit.Number);
        foreach (var pattern in ViolationPatterns.All.Where(p => ViolationPatterns.Family(p) != ViolationFamily.DataQuality && _planted.Values.Any(e => e.Pattern == p)))
        {
            var name = ViolationPatterns.Name(pattern);
            var rule = rules.Rules.Single(r => r.Name == name);
            var smallest = ViolationPatterns.Smallest(pattern);
            var planted = _planted.Where(e => e.Value.Pattern == pattern).ToList();
            var groups = planted.GroupBy(e => smallest > 1 ? e.Value.Group : e.Key, e => e.Key).Where(g => g.Count() >= smallest).ToList();
            var (numbers, named) = (planted.Select(e => e.Key).ToHashSet(), hits[name].ToHashSet());
            var wrong = hits[name].Where(number => !numbers.Contains(number)).ToList();
            var missed = groups.Where(g => !g.Any(named.Contains)).ToList();
            rows.Add(new(name, rule.Name, smallest > 1 ? "groups" : "", groups.Count, groups.Count - missed.Count, hits[name].Count(), wrong.Count));
            misses.AddRange(missed.Take(MostMisses).Select(g => $"missed: {name}, event {g.First()}{(smallest > 1 ? $" and {g.Count() - 1} more" : "")}"));
            misses.AddRange(wrong.Take(MostMisses).Select(number => $"false: {name}, event {number} ({(_planted.TryGetValue(number, out var other) ? ViolationPatterns.Name(other.Pattern) : "clean")})"));
        }

        (Rows, Misses) = (rows, misses);
    }
}
