using PaymentPlatform.Standalone.Logging;

namespace PaymentPlatform.Standalone.Run;

/// <summary>The chosen services in one web application.</summary>
internal static class ServiceHost
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    /// <param name="log">Null: nothing is written to a file.</param>
    public static WebApplication Compose(RunOptions options, PlatformConnections connections, int port, string data, RollingFileLog? log)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = [.. options.Overrides], ContentRootPath = AppContext.BaseDirectory });
        Configure(builder.Configuration, options, connections, data);
        OptionNames.Check(builder.Configuration);
        var listen = ListenAddress.Read(builder.Configuration);
        var ingest = options.Services.Contains(PlatformService.Ingest) ? listen.Url(port) : connections.Http;
        AddDefaults(builder.Configuration, new() { ["Simulator:Url"] = ingest });
        builder.Services.AddSingleton(listen);
        // Besides what Kestrel:Endpoints adds.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(listen.Address, port));
        builder.AddAccessFor(listen.CredentialReason);
        builder.AddServiceDefaults();
        builder.AddPlatformLogs(log);
        builder.Services.Configure<HostOptions>(host =>
        {
            host.ShutdownTimeout = ShutdownTimeout;
            // An upload that is still open must not take the time in which archiver and metrics commit what they hold.
            host.ServicesStopConcurrently = true;
        });
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        foreach (var service in options.Services)
            Add(builder, service);

        var app = builder.Build();
        app.UseProblemAnswers();
        app.UseAccess();
        app.MapDefaultEndpoints();
        foreach (var service in options.Services)
            Map(app, service);
        return app;
    }

    private static void Add(IHostApplicationBuilder builder, PlatformService service) => _ = service switch
    {
        PlatformService.Ingest => builder.AddIngest(),
        PlatformService.Archiver => builder.AddBlobArchiver(),
        PlatformService.Metrics => builder.AddMetrics(),
        PlatformService.Query => builder.AddQuery(),
        PlatformService.Simulator => builder.AddSimulator(),
        _ => throw new ArgumentOutOfRangeException(nameof(service)),
    };

    private static void Map(WebApplication app, PlatformService service) => _ = service switch
    {
        PlatformService.Ingest => app.MapIngest(),
        PlatformService.Archiver => app.MapBlobArchiver(),
        PlatformService.Metrics => app.MapMetrics(),
        PlatformService.Query => app.MapQuery(),
        PlatformService.Simulator => app.MapSimulator(),
        _ => throw new ArgumentOutOfRangeException(nameof(service)),
    };

    /// <summary>Our defaults lie below appsettings.json, the environment and the overrides; the servers we run on lie above.</summary>
    private static void Configure(ConfigurationManager configuration, RunOptions options, PlatformConnections connections, string data)
    {
        var defaults = new Dictionary<string, string?>
        {
            ["Archiver:FlushAge"] = "00:00:05",
            ["Query:CacheDirectory"] = Path.Combine(data, "query-cache"),
            ["Simulator:Rate"] = "20",
        };
        AddDefaults(configuration, defaults);
        ((IConfigurationBuilder)configuration).Sources.Insert(1, new Microsoft.Extensions.Configuration.Json.JsonConfigurationSource
        {
            Path = "appsettings.json",
            Optional = true,
            FileProvider = new Microsoft.Extensions.FileProviders.PhysicalFileProvider(Environment.CurrentDirectory),
        });

        var settled = new Dictionary<string, string?> { ["ConnectionStrings:paymentsdb"] = connections.Paymentsdb, ["ConnectionStrings:blobs"] = connections.Blobs };
        if (options.SimulatorRate is { } rate)
            settled["Simulator:Rate"] = rate.ToString(System.Globalization.CultureInfo.InvariantCulture);
        configuration.AddInMemoryCollection(settled);
    }

    private static void AddDefaults(ConfigurationManager configuration, Dictionary<string, string?> defaults) =>
        ((IConfigurationBuilder)configuration).Sources.Insert(0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource { InitialData = defaults });

    /// <summary>Signals are <see cref="StopSignals"/>' work: they count before and after the host, too.</summary>
    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
