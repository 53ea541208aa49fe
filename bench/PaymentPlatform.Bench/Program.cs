using PaymentPlatform.Bench;
using PaymentPlatform.Bench.Archive;
using PaymentPlatform.Bench.ClickHouse;
using PaymentPlatform.Bench.EndToEnd;
using PaymentPlatform.Bench.Metrics;
using PaymentPlatform.Bench.Parse;
using PaymentPlatform.Bench.Postgres;
using PaymentPlatform.Bench.Questions;
using PaymentPlatform.Bench.Rules;

// One line a benchmark: its name, and what runs it and returns its rows.
var benchmarks = new SortedDictionary<string, Func<BenchArguments, Task<IReadOnlyList<BenchmarkRow>>>>(StringComparer.Ordinal)
{
    ["archive"] = ArchiveBenchmark.RunAsync,
    ["clickhouse"] = ClickHouseBenchmark.RunAsync,
    ["detect"] = DetectCommand.RunAsync,
    ["e2e"] = SteadyRateBenchmark.RunAsync,
    ["lookup"] = LookupBenchmark.RunAsync,
    ["memory"] = MemoryBenchmark.RunAsync,
    ["metrics"] = MetricsBenchmark.RunAsync,
    ["parse"] = ParseCommand.RunAsync,
    ["postgres"] = PostgresBenchmark.RunAsync,
    ["rates"] = RatesBenchmark.RunAsync,
    ["rules"] = RulesCommand.RunAsync,
    ["scan"] = ScanBenchmark.RunAsync,
    ["visibility"] = VisibilityBenchmark.RunAsync,
};

const string all = "all";
var usage = $"bench {all}|{string.Join('|', benchmarks.Keys)} {BenchArguments.Usage}";
if (args.Length == 0 || args.Any(a => a is "--help" or "-h"))
{
    Console.WriteLine(usage);
    return 0;
}

var chosen = args[0] == all ? benchmarks.ToArray() : benchmarks.TryGetValue(args[0], out var benchmark) ? [new(args[0], benchmark)] : [];
if (chosen.Length == 0)
{
    Console.Error.WriteLine($"There is no benchmark '{args[0]}': {usage}");
    return 2;
}

if (!BenchArguments.TryParse(args.AsSpan(1), out var arguments, out var fault))
{
    Console.Error.WriteLine($"{fault} {usage}");
    return 2;
}

BenchmarkReport.PrintHeader(args, Console.Out);
List<BenchmarkRow> rows = [];
var failed = false;
foreach (var (name, run) in chosen)
{
    try
    {
        var measured = await run(arguments);
        BenchmarkReport.Print(measured, Console.Out);
        rows.AddRange(measured);
    }
    catch (Exception exception)
    {
        // With all: the others take half an hour, their rows are not lost for it.
        Console.Error.WriteLine($"{name} failed: {(exception is InvalidOperationException ? exception.Message : exception)}");
        failed = true;
    }

    if (arguments.Json is { } file)
        BenchmarkReport.Save(rows, file);
}

return failed ? 1 : 0;
