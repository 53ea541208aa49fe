using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests;

public sealed class ServiceStopTests(PlatformFixture platform)
{
    [Theory]
    [InlineData("ArchiverService", "SweepInterval", "01:00:00")]
    [InlineData("ArchiveMaintenanceService", "SweepInterval", "00:00:00.050")]
    [InlineData("ArchiveMaintenanceService", "CompactionInterval", "00:00:00.050")]
    [InlineData("ArchiveMaintenanceService", "LifecycleInterval", "00:00:01")]
    public async Task Stop_DatabaseGoesAway_EndsWithoutAFault(string service, string name, string interval)
    {
        var database = await platform.CreateDatabaseAsync();
        var log = new LogCollector();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Configuration["ConnectionStrings:paymentsdb"] = database;
        builder.Configuration["ConnectionStrings:blobs"] = platform.BlobConnectionString;
        builder.Configuration["Storage:Container"] = platform.Connect(database).RawEvents.Name;
        builder.Configuration["Archiver:RetentionDays"] = "30";
        builder.Configuration[$"Archiver:{name}"] = interval;
        builder.AddBlobArchiver();

        await VanishingDatabase.StopAsync(builder, database, service);

        Assert.True(log.Lines.Count(l => l.Level >= LogLevel.Warning) <= 1);
    }
}
