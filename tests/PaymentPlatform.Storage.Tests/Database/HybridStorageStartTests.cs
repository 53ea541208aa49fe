using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Storage.Tests.Database;

/// <summary>What a process gets from its configuration.</summary>
public sealed class HybridStorageStartTests(PlatformFixture platform)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Storage:MaxPoolSize", "0", "MaxPoolSize")]
    [InlineData("Storage:MinPoolSize", "11", "MinPoolSize")]
    [InlineData("Storage:ConnectionLifetime", "00:00:00", "ConnectionLifetime")]
    [InlineData("Storage:Container", "Not_A_Container", "Storage:Container")]
    public async Task Start_WrongOption_StopsAndNamesIt(string key, string value, string named)
    {
        using var host = await HostAsync((key, value));
        var stopped = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));
        Assert.Contains(named, stopped.Message);
    }

    [Theory]
    [InlineData("paymentsdb", null, typeof(NpgsqlDataSource))]
    [InlineData("paymentsdb", "", typeof(NpgsqlDataSource))]
    [InlineData("blobs", "", typeof(Azure.Storage.Blobs.BlobServiceClient))]
    public async Task Resolve_ConnectionStringMissing_SaysWhatToSet(string name, string? value, Type service)
    {
        using var host = await HostAsync(($"ConnectionStrings:{name}", value));
        var stopped = Assert.Throws<OptionsValidationException>(() => host.Services.GetRequiredService(service));
        Assert.Contains($"ConnectionStrings__{name}", stopped.Message);
    }

    [Fact]
    public async Task Pool_Configured_HoldsBetweenItsLimits()
    {
        using var host = await HostAsync(("Storage:MinPoolSize", "2"), ("Storage:MaxPoolSize", "3"), ("Storage:ConnectTimeout", "00:00:01"));
        var connections = host.Services.GetRequiredService<HybridConnectionManager>();
        var open = new List<NpgsqlConnection>();
        for (var i = 0; i < 3; i++)
            open.Add(await connections.Database.OpenConnectionAsync(Token));
        await Assert.ThrowsAsync<NpgsqlException>(async () => await connections.Database.OpenConnectionAsync(Token));
        foreach (var connection in open)
            await connection.DisposeAsync();
        await connections.ValidateAsync(Token);
    }

    [Fact]
    public async Task Pool_ConnectionOutlivesItsLifetime_Replaced()
    {
        using var host = await HostAsync(("Storage:MinPoolSize", "0"), ("Storage:ConnectionLifetime", "00:00:01"));
        var connections = host.Services.GetRequiredService<HybridConnectionManager>();
        var first = await BackendAsync(connections);
        await Eventually.TrueAsync(async () => await BackendAsync(connections) != first, "another backend");
    }

    private static Task<int> BackendAsync(HybridConnectionManager connections) =>
        connections.ExecuteAsync((connection, _) => Task.FromResult(connection.ProcessID), Token);

    private async Task<IHost> HostAsync(params (string Key, string? Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration["ConnectionStrings:paymentsdb"] = await platform.CreateDatabaseAsync();
        builder.Configuration["ConnectionStrings:blobs"] = platform.BlobConnectionString;
        foreach (var (key, value) in settings)
            builder.Configuration[key] = value;
        builder.AddHybridStorage();
        builder.AddHybridStorage();
        return builder.Build();
    }
}
