using Microsoft.Extensions.DependencyInjection.Extensions;
using PaymentPlatform.Simulator;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers and maps the service.</summary>
public static class SimulatorExtensions
{
    /// <summary>Section <c>Simulator</c>; needs the stream only when that is its target.</summary>
    public static IHostApplicationBuilder AddSimulator(this IHostApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddCheckedOptions<SimulatorOptions>(SimulatorOptions.Section);
        if (string.Equals(builder.Configuration[$"{SimulatorOptions.Section}:{nameof(SimulatorOptions.Target)}"], nameof(SimulatorTarget.Http), StringComparison.OrdinalIgnoreCase))
        {
            builder.Services.AddHttpClient(SimulatorService.HttpClientName)
                .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { MaxConnectionsPerServer = HttpEventSender.Connections, AllowAutoRedirect = false });
        }
        else
        {
            builder.AddStreaming();
        }

        builder.Services.AddHostedService<SimulatorService>();
        return builder;
    }

    /// <summary>The service has no endpoints of its own.</summary>
    public static WebApplication MapSimulator(this WebApplication app) => app;
}
