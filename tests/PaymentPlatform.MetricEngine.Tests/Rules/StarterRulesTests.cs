using PaymentPlatform.Bench.Rules;
using PaymentPlatform.Events;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Simulator;

namespace PaymentPlatform.MetricEngine.Tests.Rules;

public sealed class StarterRulesTests
{
    private static readonly string SettingsFile = Path.Combine(AppContext.BaseDirectory, "simulator.yaml");

    [Fact]
    public void Evaluate_PlantedPatterns_AreFoundAndNothingElse()
    {
        var score = DetectionScore.Run(RuleSet.Starter, SettingsFile, 60_000, seed: 42);

        Assert.Empty(score.Misses);
        Assert.Equal(14, score.Rows.Count);
        Assert.All(score.Rows, row => Assert.True(row.Planted >= 1 && row.Found == row.Planted && row.False == 0, row.ToString()));
    }

    [Fact]
    public void Run_WithoutARulesThreshold_ScoresLess()
    {
        var weaker = RuleSets.Valid(RuleSet.StarterYaml.Replace("within: 1h, at_least: 3", "within: 1m, at_least: 4", StringComparison.Ordinal).Replace("risk_score: 0.8", "risk_score: 0.7", StringComparison.Ordinal));
        var rows = DetectionScore.Run(weaker, SettingsFile, 20_000, seed: 42).Rows.ToDictionary(r => r.Pattern);

        Assert.True(rows["structuring"].Recall < 0.5);
        Assert.True(rows["high_risk_score"].Precision < 0.5);
    }

    /// <summary>The settings' thresholds are those of the rules.</summary>
    [Fact]
    public void Thresholds_OfTheSimulator_AreTheSame()
    {
        var large = RuleSet.Starter.Rules.Single(r => r.Name == "large_amount");
        var table = ((Expression.Operand.Threshold)((Expression.Compare)large.Condition!).Right).Table;
        Assert.Equal(SettingsReader.ReadFile(SettingsFile).HighValue.OrderBy(p => p.Key), table.ByCurrency.OrderBy(p => p.Key));
    }

    [Theory]
    [InlineData("""{"metadata": {"note": "paid with 4111 1111 1111 1111 today"}}""", true)]
    [InlineData("""{"metadata": {"note": "4111-1111-1111-1111"}}""", true)]
    [InlineData("""{"metadata": {"note": "12 4111111111111111 34"}}""", true)]
    [InlineData("""{"metadata": {"note": "378282246310005"}}""", true)]
    [InlineData("""{"metadata": {"pan": 4111111111111111}}""", true)]
    [InlineData("""{"metadata": {"note": "five **** stars, 1234567890"}}""", false)]
    [InlineData("""{"metadata": {"note": "4111111111111112"}}""", false)]
    [InlineData("""{"merchant_id": "4111111111111111"}""", false)]
    public void CardData_LiveArchivedOrAllowed_IsTheSame(string fields, bool expected)
    {
        var payload = Events.With(fields);
        var live = Events.Parse(payload);
        Assert.Equal(expected, HasCardData(live, CardDataMode.Mask));
        Assert.Equal(expected, HasCardData(Events.Parse(live.Payload.ToArray()), CardDataMode.Mask));
        Assert.Equal(expected, HasCardData(Events.Parse(payload, CardDataMode.Allow), CardDataMode.Allow));
    }

    [Fact]
    public void Evaluate_SteadyState_AllocatesNothing()
    {
        var settings = SettingsReader.ReadFile(SettingsFile) with { Violations = new Dictionary<ViolationPattern, double>() };
        var batch = new EventBatch();
        batch.Fill(new TransactionGenerator(settings, 5), 1_000, 1, new EventClock(SimulatorSettings.FixedStart), 0);
        var (parser, output) = (new TransactionParser(new()), new RuleOutput());
        var evaluator = new RuleEvaluator(RuleSet.Starter);
        var state = new PartitionRuleState(evaluator.RuleSet);
        // The same minute again and again, until each customer has the hundred times that rapid_fire keeps.
        for (var i = 0; i < 110; i++)
            Pass();

        var before = GC.GetAllocatedBytesForCurrentThread();
        Pass();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Empty(output.Hits);
        Assert.Equal(0, allocated);

        void Pass()
        {
            output.Clear();
            for (var i = 0; i < batch.Count; i++)
                evaluator.Evaluate(state, parser.Parse(batch.Line(i), long.MaxValue / 2), i, 0, output);
        }
    }

    private static bool HasCardData(ParseResult result, CardDataMode mode)
    {
        var rules = RuleSets.Of("metric_type: count\ncondition: card_data");
        var output = new RuleOutput();
        new RuleEvaluator(rules, mode).Evaluate(new(rules), result, 0, 0, output);
        return output.Hits.Count > 0;
    }
}
