using System.Diagnostics;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Environments;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace PaymentPlatform.Bench.Rules;

/// <summary>`rules`: events per second on one core with all starter rules, against parsing alone. With `--seconds N` a stopwatch measures for about so long, otherwise BenchmarkDotNet does.</summary>
internal static class RulesCommand
{
    private const double Target = 200_000;

    public static Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        if (arguments["config"] is { } file)
            RulesBenchmark.SettingsFile = file;
        return Task.FromResult<IReadOnlyList<BenchmarkRow>>(arguments["seconds"] is null ? Measure() : Time(arguments.Number("seconds", 10)));
    }

    private static List<BenchmarkRow> Measure()
    {
        // In process: the generated project of the default toolchain needs a restore, which a machine without a feed can't do.
        var job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithRuntime(CoreRuntime.Core10_0).WithWarmupCount(4).WithIterationCount(10);
        var config = ManualConfig.CreateEmpty().AddJob(job).AddLogger(ConsoleLogger.Default)
            .AddColumnProvider(BenchmarkDotNet.Columns.DefaultColumnProviders.Instance)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "platform-bench"));
        var reports = BenchmarkRunner.Run<RulesBenchmark>(config).Reports.Where(report => report.ResultStatistics is not null);
        return [.. reports.SelectMany(report => Rows(
            report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\''), 1e9 / report.ResultStatistics!.Mean, report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0))];
    }

    private static List<BenchmarkRow> Time(int seconds)
    {
        var benchmark = new RulesBenchmark();
        benchmark.Setup();
        List<BenchmarkRow> rows = [.. Time("parse", benchmark.Parse, seconds / 2.0), .. Time("parse and all starter rules", benchmark.ParseAndRules, seconds / 2.0)];
        rows.Add(new("hits", benchmark.Hits / (double)RulesBenchmark.EventCount, null, "per event"));
        rows.Add(new("bucket keys", benchmark.Keys / (double)RulesBenchmark.EventCount, null, "per event"));
        return rows;
    }

    /// <summary>The best pass: others share the machine.</summary>
    private static List<BenchmarkRow> Time(string name, Func<int> pass, double seconds)
    {
        pass();
        var (best, passes, allocated) = (double.MaxValue, 0, GC.GetAllocatedBytesForCurrentThread());
        for (var all = Stopwatch.StartNew(); all.Elapsed.TotalSeconds < seconds; passes++)
        {
            var watch = Stopwatch.GetTimestamp();
            pass();
            best = Math.Min(best, Stopwatch.GetElapsedTime(watch).TotalSeconds);
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        return Rows(name, RulesBenchmark.EventCount / best, allocated / ((double)passes * RulesBenchmark.EventCount));
    }

    private static List<BenchmarkRow> Rows(string name, double rate, double allocated) => [new(name, rate, Target, "events/s"), new($"{name}: allocated", allocated, null, "bytes/event")];
}
