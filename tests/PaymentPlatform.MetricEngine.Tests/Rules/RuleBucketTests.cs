using System.Buffers;
using System.Globalization;
using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.MetricEngine.Tests.Rules;

public sealed class RuleBucketTests
{
    private const long Minute = 60 * Events.Second;

    private static readonly string[] Rules =
    [
        "metric_type: count\nwindow: 5m\ngroup_by: [payment_method, currency]",
        "metric_type: average\nfield: metadata.score\nwindow: 1h",
        "metric_type: percentage\ncondition: payment_status != 'pending'\nmatching: payment_status == 'failed'\ngroup_by: metadata.shop\nwindow: 5m",
    ];

    private readonly TransactionParser _parser = new(new());

    [Fact]
    public void Evaluate_RandomEventsInBatches_MergedEqualTheRecomputation()
    {
        var rules = RuleSets.Of(Rules);
        var random = new Random(11);
        var events = Enumerable.Range(0, 2_000).Select(_ => new
        {
            Micros = Events.Start + random.Next(-20, 200) * Minute,
            Method = random.Next(2) == 0 ? "credit_card" : "debit_card",
            Status = random.Next(3) switch { 0 => "pending", 1 => "failed", _ => "completed" },
            Score = random.Next(5) == 0 ? (decimal?)null : random.Next(-10_000, 10_000) / 1_000m,
            Shop = random.Next(4) switch { 0 => "null", 1 => "7", var n => $"\"shop {n} \\\"x\\\"\"" },
        }).ToList();
        var expected = new Dictionary<(string, string, long), (long Count, long Matched, decimal Sum, decimal Min, decimal Max)>();
        foreach (var e in events)
        {
            Add("rule_1", $"[\"{e.Method}\",\"USD\"]", 5 * Minute, e.Micros, false, 0);
            if (e.Score is { } score)
                Add("rule_2", "[]", 60 * Minute, e.Micros, false, score);
            if (e.Status != "pending")
                Add("rule_3", e.Shop == "7" ? "[\"7\"]" : $"[{e.Shop}]", 5 * Minute, e.Micros, e.Status == "failed", 0);
        }

        var (all, merged, stored) = (new RuleOutput(), new RuleOutput(), new RuleBucketSet());
        var (batch, state, evaluator) = (new RuleOutput(), new PartitionRuleState(rules), new RuleEvaluator(rules));
        foreach (var e in events)
        {
            var payload = Events.With(
                $$"""{"payment_method": "{{e.Method}}", "payment_status": "{{e.Status}}", "metadata": {"score": """ + (e.Score?.ToString(CultureInfo.InvariantCulture) ?? "null") + $$""", "shop": {{e.Shop}}""" + "}}", e.Micros);
            evaluator.Evaluate(state, _parser.Parse(payload, long.MaxValue / 2), 0, 0, batch);
            evaluator.Evaluate(state, _parser.Parse(payload, long.MaxValue / 2), 0, 0, all);
            if (random.Next(100) == 0)
                EndBatch();
        }

        EndBatch();

        Check(all.Buckets);
        Check(merged.Buckets);
        Check(stored.Buckets.Select(p => (p.Key, p.Value)));
        var again = new RuleBucketSet();
        again.Add(Bytes(stored.Write));
        Assert.Equal(Bytes(stored.Write), Bytes(again.Write));

        void Add(string rule, string group, long window, long micros, bool matched, decimal value)
        {
            var key = (rule, group, micros - ((micros % window) + window) % window);
            var old = expected.TryGetValue(key, out var known) ? known : (Count: 0, Matched: 0, Sum: 0, Min: value, Max: value);
            expected[key] = (old.Count + 1, old.Matched + (matched ? 1 : 0), old.Sum + value, Math.Min(old.Min, value), Math.Max(old.Max, value));
        }

        void EndBatch()
        {
            merged.Merge(batch);
            stored.Add(Bytes(batch.WriteBuckets));
            batch.Clear();
        }

        void Check(IEnumerable<(RuleBucket Bucket, BucketValues Values)> buckets)
        {
            var found = buckets.ToDictionary(
                b => (b.Bucket.RuleName, b.Bucket.GroupKey, b.Bucket.WindowStartMicros),
                b => (b.Values.Count, b.Values.Matched, (decimal)b.Values.Sum / 10_000, (decimal)b.Values.Min / 10_000, (decimal)b.Values.Max / 10_000));
            Assert.Equal(expected.Count, found.Count);
            Assert.All(expected, pair => Assert.Equal(pair.Value, found[pair.Key]));
        }
    }

    [Theory]
    [InlineData(MetricType.Count, 8)]
    [InlineData(MetricType.Sum, 2.5)]
    [InlineData(MetricType.Average, 0.3125)]
    [InlineData(MetricType.Ratio, 0.25)]
    [InlineData(MetricType.Percentage, 25)]
    public void Figure_Type_IsComputedFromTheAdditiveValues(MetricType type, decimal expected) =>
        Assert.Equal(expected, new BucketValues { Count = 8, Matched = 2, Sum = 25_000 }.Figure(type));

    [Fact]
    public void Evaluate_LongGroupValues_MakeBoundedDistinctKeys()
    {
        var rules = RuleSets.Of("metric_type: count\nwindow: 5m\ngroup_by: metadata.text");
        var (output, state, evaluator) = (new RuleOutput(), new PartitionRuleState(rules), new RuleEvaluator(rules));
        foreach (var end in new[] { "a", "b" })
            evaluator.Evaluate(state, _parser.Parse(Events.With("{\"metadata\": {\"text\": \"" + new string('é', 5_000) + end + "\"}}"), long.MaxValue / 2), 0, 0, output);

        var keys = output.Buckets.Select(b => b.Bucket.GroupKey).Distinct().ToList();
        Assert.Equal(2, keys.Count);
        Assert.All(keys, key => Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(key), 100, 270));
        Assert.All(keys, key => Assert.DoesNotContain('\uFFFD', key));
    }

    [Fact]
    public void Add_BrokenBytes_IsInvalidData()
    {
        var rules = RuleSets.Of(Rules);
        var output = new RuleOutput();
        new RuleEvaluator(rules).Evaluate(new(rules), _parser.Parse(Events.With("{}"), long.MaxValue / 2), 0, 0, output);
        var bytes = Bytes(output.WriteBuckets);

        var unseen = 0;
        for (var length = 1; length < bytes.Length; length++)
        {
            try
            {
                new RuleBucketSet().Add(bytes.AsSpan(0, length));
            }
            catch (InvalidDataException)
            {
                continue;
            }

            // A cut between two rules can't be seen.
            unseen++;
        }

        Assert.Equal(2, unseen);
        Assert.Throws<InvalidDataException>(() => new RuleBucketSet().Add([9]));
    }

    [Fact]
    public void Evaluate_StateOfAnotherRuleSet_IsRefused()
    {
        var (rules, other) = (RuleSets.Of(Rules), RuleSets.Of(Rules));
        Assert.Throws<ArgumentException>(() => new RuleEvaluator(rules).Evaluate(new(other), _parser.Parse(Events.With("{}"), long.MaxValue / 2), 0, 0, new()));
    }

    private static byte[] Bytes(Action<IBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer);
        return buffer.WrittenSpan.ToArray();
    }
}
