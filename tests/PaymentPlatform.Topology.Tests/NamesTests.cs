using System.Net;
using System.Text.RegularExpressions;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.BlobArchiver;
using PaymentPlatform.Metrics;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Topology.Tests;

/// <summary>Each name is what the services really use, and what the AppHost really gives.</summary>
public sealed class NamesTests
{
    // As the environment variables' provider does it.
    private static readonly string s_transport = PlatformNames.TransportSetting.Replace("__", ":");
    private static readonly string s_operateKey = PlatformNames.OperateKeySetting.Replace("__", ":");

    // What the AppHost generates: letters and digits.
    private static readonly string s_secret = string.Concat(Enumerable.Repeat("aB3d", 10));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Services_ConnectionStrings_ReadUnderTheirNames()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration[$"ConnectionStrings:{PlatformNames.Database}"] = "Host=the-database;Database=x";
        builder.Configuration[$"ConnectionStrings:{PlatformNames.Blobs}"] = "https://theaccount.blob.core.windows.net/";
        builder.AddHybridStorage();
        using var host = builder.Build();
        Assert.Contains("Host=the-database", host.Services.GetRequiredService<NpgsqlDataSource>().ConnectionString);
        Assert.Equal("theaccount", host.Services.GetRequiredService<BlobServiceClient>().AccountName);
    }

    [Fact]
    public void Services_StreamGroupsAndContainer_CalledSo()
    {
        Assert.Equal(PlatformNames.Stream, new StreamingOptions().Stream);
        Assert.Equal(PlatformNames.ArchiverGroup, ArchiveFlusher.ConsumerGroup);
        Assert.Equal(PlatformNames.MetricsGroup, MetricsWriter.ConsumerGroup);
        Assert.Equal(PlatformNames.RawEvents, new HybridConnectionOptions().Container);
    }

    [Fact]
    public void Services_TransportSetting_IsTheOneTheyRead()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration[s_transport] = "Carrier pigeon";
        builder.AddStreaming();
        using var host = builder.Build();
        var refused = Assert.Throws<OptionsValidationException>(() => host.Services.GetRequiredService<IOptions<StreamingOptions>>().Value);
        Assert.Contains("Carrier pigeon", refused.Message);
    }

    [Fact]
    public async Task Services_OperateKeySetting_LetsThemStartOutsideDevelopment()
    {
        using (var closed = Build(null))
            await Assert.ThrowsAsync<OptionsValidationException>(() => closed.StartAsync(Token));
        using var open = Build(s_secret);
        await open.StartAsync(Token);
        await open.StopAsync(Token);

        static IHost Build(string? key)
        {
            var builder = WebApplication.CreateEmptyBuilder(new() { EnvironmentName = "Production" });
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            builder.Services.AddRoutingCore();
            builder.Configuration[s_operateKey] = key;
            builder.AddServiceDefaults();
            var app = builder.Build();
            app.UseRouting();
            app.UseAccess();
            app.MapDefaultEndpoints();
            return app;
        }
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task Services_HealthPaths_AnswerInEveryEnvironment(string environment)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { EnvironmentName = environment });
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Configuration[$"ConnectionStrings:{PlatformNames.Database}"] = "Host=127.0.0.1;Port=1;Timeout=1";
        builder.Configuration[s_operateKey] = s_secret;
        builder.AddServiceDefaults();
        builder.AddHybridStorage();
        await using var app = builder.Build();
        app.UseRouting();
        app.UseAccess();
        app.MapDefaultEndpoints();
        await app.StartAsync(Token);
        using var http = new HttpClient { BaseAddress = new(app.Urls.Single()) };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(PlatformNames.AlivePath, Token)).StatusCode);
        // There is no database, and only readiness may say so.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync(PlatformNames.ReadyPath, Token)).StatusCode);
    }

    [Theory]
    [InlineData("AddAzureEventHubs", 0, PlatformNames.EventHubs)]
    [InlineData("AddHub", 0, PlatformNames.Stream)]
    [InlineData("AddConsumerGroup", 1, PlatformNames.ArchiverGroup, PlatformNames.MetricsGroup)]
    [InlineData("AddBlobs", 0, PlatformNames.Blobs)]
    [InlineData("AddBlobContainer", 0, PlatformNames.RawEvents)]
    [InlineData("AddDatabase", 0, PlatformNames.Database)]
    [InlineData("WithHttpProbe", 1, PlatformNames.ReadyPath, PlatformNames.AlivePath)]
    [InlineData("WithEnvironment", 0, PlatformNames.TransportSetting, PlatformNames.OperateKeySetting)]
    [InlineData("PublishWithLagScale", 2, PlatformNames.ArchiverGroup, PlatformNames.MetricsGroup)]
    public void AppHost_Call_HasTheName(string method, int argument, params string[] names) =>
        Assert.Equal(names, AppHostSource.Calls(method).Select(arguments => arguments[argument]));

    [Fact]
    public void AppHost_Transport_SetToItsName() =>
        Assert.Equal(PlatformNames.Transport, AppHostSource.Calls("WithEnvironment").Single(arguments => arguments[0] == PlatformNames.TransportSetting)[1]);

    [Fact]
    public void AppHost_Probes_ReadinessAsksAllAndLivenessTheProcess() =>
        Assert.Equal(
            [("ProbeType.Readiness", PlatformNames.ReadyPath), ("ProbeType.Liveness", PlatformNames.AlivePath)],
            AppHostSource.Calls("WithHttpProbe").Select(arguments => (arguments[0], arguments[1])));

    [Fact]
    public void AppHost_NoSharedNameIsSpelledOut()
    {
        var spelled = AppHostSource.Files.SelectMany(file => AppHostSource.Literals(file).Where(AppHostSource.Names.Values.Contains).Select(literal => $"{file}: \"{literal}\""));
        Assert.Empty(spelled);
    }

    [Fact]
    public void AppHost_EveryService_UnderItsNameAndWithItsProject()
    {
        var source = AppHostSource.Read("AppHost.cs");
        var services = Regex.Matches(source, @"(?:Service|AddProject)<Projects\.PaymentPlatform_(?<project>\w+)>\(PlatformNames\.(?<name>\w+)\)").Select(match => (match.Groups["project"].Value, match.Groups["name"].Value)).ToList();
        Assert.Equal(["BlobArchiver", "Ingest", "Metrics", "Migrator", "Query", "Simulator"], services.Select(service => service.Item1).Order());
        Assert.All(services, service => Assert.Equal(service.Item1, service.Item2));
        var referenced = Regex.Matches(AppHostSource.Read("PaymentPlatform.AppHost.csproj"), @"ProjectReference Include=""\.\./(?<path>[^""]+)""").Select(match => match.Groups["path"].Value).ToList();
        Assert.All(services, service => Assert.Contains($"services/PaymentPlatform.{service.Item1}/PaymentPlatform.{service.Item1}.csproj", referenced));
        Assert.All(referenced, path => Assert.True(RepositoryFiles.Exists(path), path));
    }
}
