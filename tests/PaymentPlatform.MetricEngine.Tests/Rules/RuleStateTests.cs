using System.Buffers;
using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.MetricEngine.Tests.Rules;

/// <summary>Against a recomputation that remembers everything: neither batches nor writing and reading the state may show.</summary>
public sealed class RuleStateTests
{
    private const long Window = 60 * Events.Second;
    private const long Lateness = 90 * Events.Second;
    private const int AtLeast = 3;

    private const string Yaml = """
        allowed_lateness: 90s
        max_keys: 1000
        rules:
          - { name: often, version: 1, metric_type: count, condition: amount < 150, sliding: { key: customer_id, within: 60s, at_least: 3 } }
          - { name: much, version: 1, metric_type: sum, field: amount, sliding: { key: [customer_id, currency], within: 60s, at_least: 400 } }
          - { name: refund, version: 1, metric_type: count, condition: payment_status == 'refunded', requires_earlier: { key: transaction_id, condition: payment_status == 'completed', within: 60s } }
          - { name: other_currency, version: 1, metric_type: count, condition: payment_status == 'completed', followed_by: { key: transaction_id, condition: amount > 0, differs: currency, within: 60s } }

        """;

    private readonly TransactionParser _parser = new(new());

    [Fact]
    public void Evaluate_RandomEventsBatchesAndRestarts_EqualsTheRecomputation()
    {
        var rules = RuleSets.Valid(Yaml);
        var hits = 0;
        for (var seed = 0; seed < 40; seed++)
        {
            var events = Sample(new Random(seed), 600);
            var expected = Recompute(events);
            Assert.Equal(expected, Run(rules, events, new Random(1_000 + seed)));
            Assert.Equal(expected, Run(rules, events, null));
            hits += expected.Count;
        }

        Assert.True(hits > 2_000, $"The samples are poor: {hits} hits.");
    }

    [Fact]
    public void Evaluate_MoreKeysThanAllowed_ForgetsTheOldestWheneverItIsWritten()
    {
        var rules = RuleSets.Valid(Yaml);
        var random = new Random(7);
        var events = Enumerable.Range(0, 6_000)
            .Select(i => new Event(Events.Start + i * 10_000L, 100, "USD", i % 3 == 0 ? "refunded" : "completed", $"tx-{Math.Max(0, i - random.Next(3_000))}", $"C-{random.Next(2_500)}")).ToList();

        var state = new PartitionRuleState(rules);
        var all = Run(rules, events, null, state);

        Assert.InRange(state.KeyCount, 1_000, 4_000);
        Assert.True(state.ForgottenKeys > 1_000);
        for (var seed = 0; seed < 5; seed++)
            Assert.Equal(all, Run(rules, events, new Random(seed)));
    }

    [Fact]
    public void WriteSnapshot_SilentKeys_AreFreed()
    {
        var rules = RuleSets.Valid(Yaml);
        var state = new PartitionRuleState(rules);
        Run(rules, [.. Enumerable.Range(0, 500).Select(i => new Event(Events.Start, 100, "USD", "completed", $"tx-{i}", $"C-{i}"))], null, state);
        Assert.Equal(4 * 500, state.HeldKeys);

        Run(rules, [new(Events.Start + Window + 2 * Lateness, 100, "USD", "completed", "tx", "C")], null, state);
        state.WriteSnapshot(new ArrayBufferWriter<byte>());

        Assert.Equal(4, state.HeldKeys);
    }

    [Fact]
    public void Load_AnotherRuleSet_KeepsWhatIsUnchangedAndStartsTheRestEmpty()
    {
        var (before, after) = (RuleSets.Valid(Yaml), RuleSets.Valid(Yaml.Replace("at_least: 400", "at_least: 300", StringComparison.Ordinal)));
        List<Event> first = [new(Events.Start, 140, "USD", "completed", "a", "C"), new(Events.Start, 140, "USD", "completed", "b", "C")];
        List<Event> last = [new(Events.Start, 140, "USD", "completed", "c", "C")];
        var state = new PartitionRuleState(before);
        Run(before, first, null, state);
        var snapshot = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(snapshot);

        Assert.Equal([(0L, "often"), (0L, "much")], Run(before, last, null, PartitionRuleState.Load(before, snapshot.WrittenMemory, [])));
        Assert.Equal([(0L, "often")], Run(after, last, null, PartitionRuleState.Load(after, snapshot.WrittenMemory, [])));
        Assert.Equal([(0L, "often")], Run(after, last, null, state.Continue(after)));
    }

    [Fact]
    public void Load_RuleThatWasAwayInBetween_StartsEmpty()
    {
        var (with, without) = (RuleSets.Valid(Yaml), RuleSets.Valid(Yaml.Replace("name: often, version: 1,", "name: often, version: 1, enabled: false,", StringComparison.Ordinal)));
        var pair = new Event(Events.Start, 100, "USD", "completed", "a", "C");
        var state = new PartitionRuleState(with);
        Run(with, [pair, pair], null, state);
        var (snapshot, changes) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
        state.WriteSnapshot(snapshot);
        state.Continue(without).WriteChanges(changes);

        Assert.DoesNotContain((0L, "often"), Run(with, [pair], null, PartitionRuleState.Load(with, snapshot.WrittenMemory, [changes.WrittenMemory])));
        Assert.Contains((0L, "often"), Run(with, [pair], null, PartitionRuleState.Load(with, snapshot.WrittenMemory, [])));
    }

    [Fact]
    public void Load_BrokenBytes_IsInvalidData()
    {
        var rules = RuleSets.Valid(Yaml);
        var state = new PartitionRuleState(rules);
        Run(rules, Sample(new Random(3), 200), null, state);
        var snapshot = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(snapshot);
        var random = new Random(4);
        for (var i = 0; i < 500; i++)
        {
            var broken = snapshot.WrittenSpan.ToArray();
            broken[random.Next(broken.Length)] ^= (byte)(1 << random.Next(8));
            Try(broken.AsMemory(0, random.Next(2) == 0 ? broken.Length : random.Next(broken.Length)));
        }

        Assert.Throws<InvalidDataException>(() => PartitionRuleState.Load(rules, new byte[] { 2, 0 }, []));

        void Try(ReadOnlyMemory<byte> bytes)
        {
            try
            {
                PartitionRuleState.Load(rules, bytes, []);
            }
            catch (InvalidDataException)
            {
                // The only exception that is allowed; not every flipped bit can be seen.
            }
        }
    }

    [Fact]
    public void Evaluate_SumOfManyValues_KeepsABoundedNumber()
    {
        var rules = RuleSets.Valid(Yaml.Replace("at_least: 400", "at_least: 100000", StringComparison.Ordinal));
        var state = new PartitionRuleState(rules);
        var hits = Run(rules, [.. Enumerable.Range(0, 1_000).Select(i => new Event(Events.Start + i, 100, "USD", "declined", "t", "C"))], null, state);
        var snapshot = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(snapshot);

        Assert.Contains((999L, "much"), hits);
        Assert.True(snapshot.WrittenCount < 4_000, $"{snapshot.WrittenCount} bytes");
    }

    private static List<Event> Sample(Random random, int count)
    {
        var now = Events.Start;
        List<Event> events = [];
        for (var i = 0; i < count; i++)
        {
            now += random.Next(100) == 0 ? random.Next(400) * Events.Second : random.Next(8) * Events.Second / 2;
            var late = random.Next(4) == 0 ? random.Next(200) * Events.Second : 0;
            var payment = random.Next(40);
            events.Add(new(
                now - late, random.Next(1, 200), random.Next(4) == 0 ? "EUR" : "USD", random.Next(3) switch { 0 => "refunded", 1 => "completed", _ => "pending" }, $"tx-{payment}", $"C-{payment % 6}"));
        }

        return events;
    }

    private static List<(long, string)> Recompute(List<Event> events)
    {
        List<(long, string)> hits = [];
        List<Event> seen = [];
        Dictionary<string, long> newestCounted = [];
        List<Event> counted = [], added = [];
        var newest = long.MinValue;
        for (var i = 0; i < events.Count; i++)
        {
            var e = events[i];
            newest = Math.Max(newest, e.Micros);
            if (e.Micros <= newest - Lateness)
                continue;

            if (e.Amount < 150 && Slide(counted, e, s => s.Customer == e.Customer, out var window) && window.Count == AtLeast - 1)
                hits.Add((i, "often"));
            if (Slide(added, e, s => s.Customer == e.Customer && s.Currency == e.Currency, out window) && window.Sum(s => s.Amount) is < 400 and var sum && sum + e.Amount >= 400)
                hits.Add((i, "much"));

            var completed = seen.Where(s => s.Id == e.Id && s.Status == "completed").ToList();
            if (e.Status == "refunded" && !completed.Any(s => s.Micros > e.Micros - Window))
                hits.Add((i, "refund"));
            // The newest by its time; of several with the same, the one that came last.
            if (completed.Count > 0 && completed.MaxBy(s => (s.Micros, seen.IndexOf(s))) is { } first && first.Micros > e.Micros - Window && first.Currency != e.Currency)
                hits.Add((i, "other_currency"));
            seen.Add(e);
        }

        return hits;

        static bool Slide(List<Event> all, Event e, Func<Event, bool> sameKey, out List<Event> window)
        {
            var key = all.Where(sameKey).ToList();
            var last = key.Count == 0 ? long.MinValue : key.Max(s => s.Micros);
            window = [];
            if (key.Count > 0 && e.Micros <= last - Window)
                return false;
            window = [.. key.Where(s => s.Micros > Math.Max(last, e.Micros) - Window)];
            all.Add(e);
            return true;
        }
    }

    /// <param name="random">Where batches end and states are written and read again; null for one batch.</param>
    private List<(long, string)> Run(RuleSet rules, IReadOnlyList<Event> events, Random? random, PartitionRuleState? state = null)
    {
        state ??= new(rules);
        var evaluator = new RuleEvaluator(rules);
        var output = new RuleOutput();
        List<(long, string)> hits = [];
        ReadOnlyMemory<byte> snapshot = default;
        List<ReadOnlyMemory<byte>> changes = [];
        for (var i = 0; i < events.Count; i++)
        {
            evaluator.Evaluate(state, _parser.Parse(events[i].Payload, long.MaxValue / 2), i, 0, output);
            if (random is null || random.Next(15) != 0)
                continue;
            var written = new ArrayBufferWriter<byte>();
            if (random.Next(5) == 0)
            {
                state.WriteSnapshot(written);
                (snapshot, changes) = (written.WrittenMemory, []);
            }
            else
            {
                state.WriteChanges(written);
                changes.Add(written.WrittenMemory);
            }

            if (random.Next(3) == 0)
                (state, evaluator) = (PartitionRuleState.Load(rules, snapshot, changes), new(rules));
            if (random.Next(4) == 0)
                state.Sweep();
            Take();
        }

        Take();
        return hits;

        void Take()
        {
            hits.AddRange(output.Hits.Select(h => (h.Offset, h.Rule.Name)));
            output.Clear();
        }
    }

    private sealed record Event(long Micros, decimal Amount, string Currency, string Status, string Id, string Customer)
    {
        public byte[] Payload { get; } = Events.With(
            FormattableString.Invariant($$"""{"amount": {{Amount}}, "currency": "{{Currency}}", "payment_status": "{{Status}}", "transaction_id": "{{Id}}", "customer_id": "{{Customer}}"}"""), Micros);
    }
}
