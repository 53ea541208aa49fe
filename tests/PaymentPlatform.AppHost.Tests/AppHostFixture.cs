using Aspire.Hosting.Azure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Streaming.Tests;

namespace PaymentPlatform.AppHost.Tests;

/// <summary>
/// The AppHost with its emulators, started once for the assembly and without data of an earlier run. Where there are no containers its tests are skipped with one line that
/// says why; on a build server (CI is set) they fail instead.
/// </summary>
public sealed class AppHostFixture : IAsyncLifetime
{
    internal const string ConformanceHub = "conformance";
    internal static readonly string[] ConformanceGroups = ["conformance-1", "conformance-2"];

    // Images are pulled the first time.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(8);

    private static readonly string[] s_services = [PlatformNames.Ingest, PlatformNames.BlobArchiver, PlatformNames.Metrics, PlatformNames.Query];

    private DistributedApplication? _app;
    private string? _problem;

    /// <summary>The running application. Skips the test where there is none.</summary>
    public DistributedApplication App
    {
        get
        {
            Assert.SkipWhen(_problem is not null, _problem ?? "");
            return _app ?? throw new InvalidOperationException("The AppHost was not started.");
        }
    }

    /// <summary>A client of a service, by its name in the AppHost.</summary>
    public HttpClient CreateClient(string service) => App.CreateHttpClient(service, "http");

    /// <summary>As a service gets it: <c>payments</c> (the hub, with EntityPath), <c>paymentsdb</c> or <c>blobs</c>.</summary>
    public async Task<string> GetConnectionStringAsync(string name, CancellationToken cancellationToken) =>
        await App.GetConnectionStringAsync(name, cancellationToken) ?? throw new InvalidOperationException($"The AppHost has no connection string '{name}'.");

    public async ValueTask InitializeAsync()
    {
        _problem = await ContainerRuntime.FindProblemAsync();
        if (_problem is not null)
        {
            if (Environment.GetEnvironmentVariable("CI") is { Length: > 0 })
                throw new InvalidOperationException(_problem);
            return;
        }

        using var patience = new CancellationTokenSource(s_patience);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.PaymentPlatform_AppHost>(["--Platform:KeepData=false"], patience.Token);
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        // Files come sooner; everything else is as it is for everybody.
        builder.CreateResourceBuilder<ProjectResource>(PlatformNames.BlobArchiver).WithEnvironment("Archiver__FlushAge", "00:00:02");
        AddConformanceHub(builder);
        _app = await builder.BuildAsync(patience.Token);
        await _app.StartAsync(patience.Token);
        foreach (var service in s_services)
            await WaitForAsync(service, patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
            await _app.DisposeAsync();
    }

    /// <summary>The transport's own suite needs a hub that nobody else reads. The emulator takes hubs from its configuration only.</summary>
    private static void AddConformanceHub(IDistributedApplicationTestingBuilder builder)
    {
        var hub = builder.CreateResourceBuilder<AzureEventHubsResource>(PlatformNames.EventHubs).AddHub(ConformanceHub).WithProperties(hub => hub.PartitionCount = StreamFixture.Partitions);
        foreach (var group in ConformanceGroups)
            hub.AddConsumerGroup(group);
    }

    private async Task WaitForAsync(string service, CancellationToken cancellationToken)
    {
        try
        {
            await _app!.ResourceNotifications.WaitForResourceHealthyAsync(service, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"'{service}' did not become healthy within {s_patience.TotalMinutes:0} minutes.");
        }
    }
}
