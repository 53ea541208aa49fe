using PaymentPlatform.MetricEngine.Rules;

namespace PaymentPlatform.Bench.Rules;

/// <summary>`detect --events N --seed S`: what the starter rules find of what the simulator plants.</summary>
internal static class DetectCommand
{
    public static Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        var events = arguments.Number("events", 1_000_000);
        var seed = arguments.Number("seed", 42);
        var settings = arguments["config"] ?? Path.Combine(AppContext.BaseDirectory, "simulator.yaml");
        var score = DetectionScore.Run(RuleSet.Starter, settings, events, seed);

        Console.WriteLine($"{events:N0} events, seed {seed}: {score.Valid:N0} valid, {score.Planted:N0} planted (a group counts each of its events)");
        Console.WriteLine();
        Console.WriteLine("| pattern | rule | planted | found | false | recall | precision |");
        Console.WriteLine("|---|---|---:|---:|---:|---:|---:|");
        foreach (var row in score.Rows)
            Console.WriteLine($"| {row.Pattern} | {row.Rule} | {row.Planted:N0}{(row.Unit == "" ? "" : $" {row.Unit}")} | {row.Found:N0} | {row.False:N0} | {row.Recall:0.00 %} | {row.Precision:0.00 %} |");
        Console.WriteLine();
        foreach (var note in score.Misses)
            Console.WriteLine(note);

        return Task.FromResult<IReadOnlyList<BenchmarkRow>>(
            [.. score.Rows.SelectMany(row => new[] { new BenchmarkRow($"{row.Pattern}: recall", 100 * row.Recall, 100, "%"), new BenchmarkRow($"{row.Pattern}: precision", 100 * row.Precision, 100, "%") })]);
    }
}
