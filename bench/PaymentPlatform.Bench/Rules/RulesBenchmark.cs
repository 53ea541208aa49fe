using BenchmarkDotNet.Attributes;
using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Simulator;

namespace PaymentPlatform.Bench.Rules;

/// <summary>Parsing alone, and parsing with all starter rules, their buckets and state, over simulated events with planted violations.</summary>
[MemoryDiagnoser]
public class RulesBenchmark
{
    public const int EventCount = 50_000;
    private const int BatchSize = 5_000;

    private static readonly long Later = SimulatorSettings.FixedStart.AddYears(1).ToUnixTimeMilliseconds() * 1_000;

    private readonly TransactionParser _parser = new(new() { CardData = CardDataMode.Mask });
    private readonly RuleOutput _output = new();
    private ReadOnlyMemory<byte>[] _events = [];
    private RuleEvaluator _evaluator = null!;
    private PartitionRuleState _state = null!;

    /// <summary>The simulator's settings.</summary>
    public static string SettingsFile { get; set; } = Path.Combine(AppContext.BaseDirectory, "simulator.yaml");

    /// <summary>Of the last pass.</summary>
    public int Hits { get; private set; }

    public int Keys { get; private set; }

    [GlobalSetup]
    public void Setup()
    {
        var generator = new TransactionGenerator(SettingsReader.ReadFile(SettingsFile), seed: 42);
        var clock = new EventClock(SimulatorSettings.FixedStart);
        var batch = new EventBatch();
        batch.Fill(generator, EventCount, 1, clock, 0);
        _events = [.. Enumerable.Range(0, EventCount).Select(batch.Line)];
        _evaluator = new(RuleSet.Starter);
        ParseAndRules();
    }

    [Benchmark(OperationsPerInvoke = EventCount, Baseline = true, Description = "parse")]
    public int Parse()
    {
        var valid = 0;
        foreach (var payload in _events)
            valid += _parser.Parse(payload, Later).IsValid ? 1 : 0;
        return valid;
    }

    [Benchmark(OperationsPerInvoke = EventCount, Description = "parse and all starter rules")]
    public int ParseAndRules()
    {
        // A state that has seen these events already would find them late, and do less.
        (Hits, Keys, _state) = (0, 0, new(_evaluator.RuleSet));
        for (var i = 0; i < _events.Length; i++)
        {
            var result = _parser.Parse(_events[i], Later);
            if (result.IsValid)
                _evaluator.Evaluate(_state, result, i, 0, _output);
            if ((i + 1) % BatchSize == 0)
                EndBatch();
        }

        EndBatch();
        return Hits;
    }

    private void EndBatch()
    {
        Hits += _output.Hits.Count;
        Keys += _output.KeyCount;
        _output.Clear();
    }
}
