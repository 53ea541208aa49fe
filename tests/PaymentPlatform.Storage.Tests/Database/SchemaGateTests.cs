using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Storage.Tests.Database;

public sealed class SchemaGateTests(PlatformFixture platform)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Health_NoSchema_UnhealthyAndNamesTheMigrator()
    {
        using var host = await HostAsync(migrate: false);
        Assert.Equal((HealthStatus.Unhealthy, "The database has no PaymentPlatform schema yet: run the migrator (PaymentPlatform.Migrator)."), await SchemaAsync(host));
    }

    [Fact]
    public async Task Health_SchemaOfThisVersion_Healthy()
    {
        using var host = await HostAsync();
        Assert.Equal((HealthStatus.Healthy, null), await SchemaAsync(host));
    }

    [Fact]
    public async Task Health_ScriptNotAppliedYet_UnhealthyAndNamesIt()
    {
        using var host = await HostAsync();
        await ExecuteAsync(host, $"DELETE FROM schema_versions WHERE scriptname LIKE '%{DatabaseSchema.Newest}'");
        var (status, line) = await SchemaAsync(host);
        Assert.Equal(HealthStatus.Unhealthy, status);
        Assert.Contains($"older than this version: it lacks {DatabaseSchema.Newest}.", line);
    }

    [Theory]
    [InlineData("9999_new_table.sql", HealthStatus.Healthy)]
    [InlineData("9999_new_table.breaking.sql", HealthStatus.Unhealthy)]
    public async Task Health_ScriptOfANewerVersion_MattersWhenItBreaksOlderOnes(string script, HealthStatus expected)
    {
        using var host = await HostAsync();
        await ExecuteAsync(host, $"INSERT INTO schema_versions (scriptname, applied) VALUES ('PaymentPlatform.Storage.Database.Migrations.{script}', now())");
        var (status, line) = await SchemaAsync(host);
        Assert.Equal(expected, status);
        if (expected == HealthStatus.Unhealthy)
            Assert.Equal($"The database's schema is newer than this version can work with: it has {script}. Deploy the newer version again.", line);
    }

    [Fact]
    public async Task WaitAsync_SchemaComesLater_EndsThenAndNotBefore()
    {
        using var host = await HostAsync(migrate: false);
        var waiting = host.Services.GetRequiredService<SchemaGate>().WaitAsync(Token);
        Assert.Equal(HealthStatus.Unhealthy, (await SchemaAsync(host)).Status);
        Assert.False(waiting.IsCompleted);
        await DatabaseMigrator.MigrateAsync(host.Services.GetRequiredService<NpgsqlDataSource>(), NullLogger.Instance, Token);
        await waiting.WaitAsync(TimeSpan.FromSeconds(60), Token);
    }

    [Fact]
    public async Task WaitAsync_DatabaseAway_WaitsAndCanBeStopped()
    {
        using var host = await HostAsync(platform.BlobConnectionString, database: "Host=127.0.0.1;Port=1;Username=x;Database=x;Timeout=1");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = host.Services.GetRequiredService<SchemaGate>().WaitAsync(stop.Token);
        Assert.False(waiting.IsFaulted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Health_NoBlobsConfigured_DatabaseAloneCounts()
    {
        using var host = await HostAsync(blobs: null);
        Assert.Equal(HealthStatus.Healthy, (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token)).Status);
    }

    [Fact]
    public async Task Health_BlobsConfiguredButAway_Unhealthy()
    {
        using var host = await HostAsync(blobs: "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/devstoreaccount1;");
        Assert.Equal(HealthStatus.Unhealthy, (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token)).Status);
    }

    private static async Task<(HealthStatus Status, string? Line)> SchemaAsync(IHost host)
    {
        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Name == "schema", Token);
        return (report.Entries["schema"].Status, report.Entries["schema"].Description);
    }

    private static async Task ExecuteAsync(IHost host, string sql)
    {
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        Assert.Equal(1, await command.ExecuteNonQueryAsync(Token));
    }

    private Task<IHost> HostAsync(bool migrate = true) => HostAsync(platform.BlobConnectionString, migrate);

    private async Task<IHost> HostAsync(string? blobs, bool migrate = true, string? database = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration["ConnectionStrings:paymentsdb"] = database ?? await platform.CreateDatabaseAsync(migrate);
        builder.Configuration["ConnectionStrings:blobs"] = blobs;
        builder.Configuration["Storage:MinPoolSize"] = "0";
        builder.AddHybridStorage();
        return builder.Build();
    }


}
