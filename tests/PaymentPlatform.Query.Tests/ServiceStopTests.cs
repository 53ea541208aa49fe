using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class ServiceStopTests(PlatformFixture platform)
{
    [Theory]
    [InlineData("ReconciliationService")]
    [InlineData("ReplayService")]
    [InlineData("ResubmissionFinisher")]
    public async Task Stop_DatabaseGoesAway_EndsWithoutAFault(string service)
    {
        var database = await platform.CreateDatabaseAsync();
        var log = new LogCollector();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Configuration["ConnectionStrings:paymentsdb"] = database;
        builder.Configuration["ConnectionStrings:blobs"] = platform.BlobConnectionString;
        builder.Configuration["Query:ReconciliationInterval"] = "00:00:00.050";
        builder.AddQuery();

        await VanishingDatabase.StopAsync(builder, database, service);

        Assert.Equal(1, log.Lines.Count(l => l.Level >= LogLevel.Warning));
    }
}
