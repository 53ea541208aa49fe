using System.Diagnostics;
using PaymentPlatform.Faults;
using PaymentPlatform.Faults.Report;
using PaymentPlatform.Testing;

const string usage = "faults [--runs N] [--seed S] [--mode safety|liveness|both] [--parallel P] [--keep]";
if (args.Any(a => a is "--help" or "-h"))
{
    Console.WriteLine(usage);
    return 0;
}

if (FaultArguments.TryParse(args, out var options) is { } error)
{
    Console.Error.WriteLine($"{error} {usage}");
    return 2;
}

await using var fixture = new PlatformFixture();
await fixture.InitializeAsync();
var clock = Stopwatch.StartNew();
var batch = await FaultHarness.RunAsync(fixture, options, run =>
{
    Console.WriteLine(FaultReport.Line(run));
    if (run.Failure is null && !options.Keep)
        return;
    var log = Path.Combine(Path.GetTempPath(), $"platform-faults-{run.Seed}.log");
    File.WriteAllLines(log, run.Log);
    Console.WriteLine($"  what happened: {log}");
}, CancellationToken.None);
Console.WriteLine(FaultReport.Summary(batch, clock.Elapsed));
return batch.IsSound ? 0 : 1;
