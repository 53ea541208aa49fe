using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Environments;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace PaymentPlatform.Bench.Parse;

/// <summary>`parse`: events per second on one core, and bytes allocated per event.</summary>
internal static class ParseCommand
{
    public static Task<IReadOnlyList<BenchmarkRow>> RunAsync(BenchArguments arguments)
    {
        ParseBenchmark.DataFile = arguments.Data;

        // In process: the generated project of the default toolchain needs a restore, which a machine without a feed can't do.
        var job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithRuntime(CoreRuntime.Core10_0).WithWarmupCount(4).WithIterationCount(10);
        var config = ManualConfig.CreateEmpty().AddJob(job).AddLogger(ConsoleLogger.Default)
            .AddColumnProvider(BenchmarkDotNet.Columns.DefaultColumnProviders.Instance)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "platform-bench"));
        var summary = BenchmarkRunner.Run<ParseBenchmark>(config);

        var reports = summary.Reports.Where(report => report.ResultStatistics is not null).ToList();
        var peer = reports.FirstOrDefault(report => report.BenchmarkCase.Descriptor.Baseline);
        List<BenchmarkRow> rows = [];
        foreach (var report in reports.Where(report => report != peer))
        {
            var name = report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\'');
            rows.Add(new BenchmarkRow(name, EventsPerSecond(report), peer is null ? null : EventsPerSecond(peer), "events/s"));
            rows.Add(new BenchmarkRow($"{name}: allocated", Allocated(report), peer is null ? null : Allocated(peer), "bytes/event"));
        }

        return Task.FromResult<IReadOnlyList<BenchmarkRow>>(rows);
    }

    private static double EventsPerSecond(BenchmarkDotNet.Reports.BenchmarkReport report) => 1e9 / report.ResultStatistics!.Mean;

    private static double Allocated(BenchmarkDotNet.Reports.BenchmarkReport report) => report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0;
}
