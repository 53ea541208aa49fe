namespace Microsoft.Extensions.Hosting;

/// <summary>Registers and maps the service.</summary>
public static class SimulatorExtensions
{
    public static IHostApplicationBuilder AddSimulator(this IHostApplicationBuilder builder) => builder;

    public static WebApplication MapSimulator(this WebApplication app) => app;
}
