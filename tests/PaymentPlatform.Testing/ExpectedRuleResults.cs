using System.Globalization;
using System.Text.Json.Nodes;
using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Testing;

/// <summary>What rules give for a stream when each partition is read once, in order, by one evaluator that is never written down or restored.</summary>
/// <param name="Hits">A line each, sorted.</param>
/// <param name="Buckets">A line each, sorted.</param>
public sealed record ExpectedRuleResults(List<string> Hits, List<string> Buckets)
{
    /// <param name="messages">In the order of their offsets, repeats left out.</param>
    public static ExpectedRuleResults Of(IEnumerable<(int Partition, long Offset, long EnqueuedAtMicros, ReadOnlyMemory<byte> Body)> messages, RuleSet rules)
    {
        var parser = new TransactionParser(new() { CardData = CardDataMode.Mask });
        var evaluator = new RuleEvaluator(rules);
        var hits = new List<string>();
        var output = new RuleOutput();
        var seen = 0;
        foreach (var partition in messages.GroupBy(m => m.Partition))
        {
            var state = new PartitionRuleState(rules);
            foreach (var message in partition)
            {
                var result = parser.Parse(message.Body, message.EnqueuedAtMicros);
                if (!result.IsValid)
                    continue;
                evaluator.Evaluate(state, result, message.Offset, message.EnqueuedAtMicros, output);
                for (; seen < output.Hits.Count; seen++)
                    hits.Add(Line(partition.Key, output.Hits[seen]));
            }
        }

        var buckets = output.Buckets.Select(b => string.Create(
            CultureInfo.InvariantCulture,
            $"{b.Bucket.RuleName}|{b.Bucket.RuleVersion}|{b.Bucket.GroupKey}|{b.Bucket.WindowStartMicros / 1_000_000}|{b.Bucket.WindowEndMicros / 1_000_000}|{b.Values.Count}|{b.Values.Matched}|{(decimal)b.Values.Sum / 10_000m:0.0000}"));
        return new([.. hits.Order(StringComparer.Ordinal)], [.. buckets.Order(StringComparer.Ordinal)]);
    }

    /// <summary>The same lines from the tables, unsorted; the second column's JSON goes through <see cref="Canonical"/>.</summary>
    public const string HitsSql = "SELECT concat_ws('|', rule_name, rule_version, metric_type, partition_id, stream_offset, transaction_id, metric_value), metric_data::text FROM dynamic_metrics";

    /// <inheritdoc cref="HitsSql"/>
    public const string BucketsSql =
        "SELECT concat_ws('|', rule_name, rule_version, group_key, extract(epoch FROM window_start)::bigint, extract(epoch FROM window_end)::bigint, event_count, matched, total) FROM rule_buckets";

    /// <summary>JSON's fields in one order, as the database has its own.</summary>
    public static string Canonical(string json) => string.Join(",", JsonNode.Parse(json)!.AsObject().OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}:{p.Value?.ToJsonString()}"));

    private static string Line(int partition, RuleHit hit) => string.Create(
        CultureInfo.InvariantCulture,
        $"{hit.Rule.Name}|{hit.Rule.Version}|{hit.Rule.MetricType.ToString().ToLowerInvariant()}|{partition}|{hit.Offset}|{hit.TransactionId}|{decimal.Round(hit.Value, 4):0.0000}|{Canonical(hit.Data)}");
}
