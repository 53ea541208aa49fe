using System.Globalization;
using System.Text.Json.Nodes;
using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Metrics.Tests;

/// <summary>What rules give for a log when each partition is read once, in order, by one evaluator that is never written down or restored.</summary>
internal sealed record ExpectedResults(List<string> Hits, List<string> Buckets)
{
    public static ExpectedResults Of(TestLog log, RuleSet rules)
    {
        var parser = new TransactionParser(new() { CardData = CardDataMode.Mask });
        var evaluator = new RuleEvaluator(rules);
        var hits = new List<string>();
        var output = new RuleOutput();
        var seen = 0;
        foreach (var partition in log.Counted.GroupBy(m => m.Partition))
        {
            var state = new PartitionRuleState(rules);
            foreach (var (_, message) in partition)
            {
                var result = parser.Parse(message.Message.Body, message.EnqueuedAtMicros);
                if (!result.IsValid)
                    continue;
                evaluator.Evaluate(state, result, message.Offset, message.EnqueuedAtMicros, output);
                for (; seen < output.Hits.Count; seen++)
                    hits.Add(Line(partition.Key.PartitionId, output.Hits[seen]));
            }
        }

        var buckets = output.Buckets.Select(b => string.Create(
            CultureInfo.InvariantCulture,
            $"{b.Bucket.RuleName}|{b.Bucket.RuleVersion}|{b.Bucket.GroupKey}|{b.Bucket.WindowStartMicros / 1_000_000}|{b.Bucket.WindowEndMicros / 1_000_000}|{b.Values.Count}|{b.Values.Matched}|{(decimal)b.Values.Sum / 10_000m:0.0000}"));
        return new([.. hits.Order(StringComparer.Ordinal)], [.. buckets.Order(StringComparer.Ordinal)]);
    }

    public static string Canonical(string json) => string.Join(",", JsonNode.Parse(json)!.AsObject().OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}:{p.Value?.ToJsonString()}"));

    private static string Line(int partition, RuleHit hit) => string.Create(
        CultureInfo.InvariantCulture,
        $"{hit.Rule.Name}|{hit.Rule.Version}|{hit.Rule.MetricType.ToString().ToLowerInvariant()}|{partition}|{hit.Offset}|{hit.TransactionId}|{decimal.Round(hit.Value, 4):0.0000}|{Canonical(hit.Data)}");
}
