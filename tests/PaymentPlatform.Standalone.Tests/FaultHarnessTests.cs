using PaymentPlatform.Faults;
using PaymentPlatform.Faults.Report;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>A few fixed seeds of the fault harness; <c>./platform faults --runs 1000</c> is the long run.</summary>
public sealed class FaultHarnessTests
{
    [Fact]
    public async Task Run_FixedSeedsOfBothModes_EveryInvariantKept()
    {
        await using var fixture = new PlatformFixture();
        await fixture.InitializeAsync();

        var batch = await FaultHarness.RunAsync(fixture, new() { Seed = 1, Runs = 10, Parallel = 2 }, _ => { }, TestContext.Current.CancellationToken);

        Assert.Equal(10, batch.Runs.Count);
        Assert.All(batch.Runs, run => Assert.True(run.Failure is null, $"{FaultReport.Line(run)}\n{string.Join('\n', run.Log)}"));
        Assert.True(batch.Runs.Sum(run => run.Accepted) > 1_000);
        Assert.True(batch.IsMemoryBounded, FaultReport.Summary(batch, TimeSpan.Zero));
    }
}
