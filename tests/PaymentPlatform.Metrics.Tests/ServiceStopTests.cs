using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

public sealed class ServiceStopTests(PlatformFixture platform)
{
    [Theory]
    [InlineData("FoldService")]
    [InlineData("ClusterService")]
    [InlineData("RebuildService")]
    [InlineData("MetricPartitionsService")]
    [InlineData("StreamRetentionService")]
    public async Task Stop_DatabaseGoesAway_EndsWithoutAFault(string service)
    {
        var database = await platform.CreateDatabaseAsync();
        var log = new LogCollector();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Configuration["ConnectionStrings:paymentsdb"] = database;
        builder.Configuration["ConnectionStrings:blobs"] = platform.BlobConnectionString;
        builder.Configuration["Streaming:Retention"] = "00:00:04";
        builder.AddMetrics();

        await VanishingDatabase.StopAsync(builder, database, service, async services =>
        {
            // Rebuilds begin once there are rules.
            var rules = services.GetRequiredService<RuleService>();
            await rules.StartAsync(CancellationToken.None);
            await rules.SeededAsync(CancellationToken.None);
            await rules.StopAsync(CancellationToken.None);
        });

        Assert.Equal(1, log.Lines.Count(l => l.Level >= LogLevel.Warning));
    }
}
