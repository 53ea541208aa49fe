namespace Microsoft.Extensions.Hosting;

/// <summary>Registers and maps the service.</summary>
public static class IngestExtensions
{
    public static IHostApplicationBuilder AddIngest(this IHostApplicationBuilder builder) => builder;

    public static WebApplication MapIngest(this WebApplication app) => app;
}
