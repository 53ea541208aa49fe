namespace Microsoft.Extensions.Hosting;

/// <summary>Registers and maps the service.</summary>
public static class MetricsExtensions
{
    public static IHostApplicationBuilder AddMetrics(this IHostApplicationBuilder builder) => builder;

    public static WebApplication MapMetrics(this WebApplication app) => app;
}
