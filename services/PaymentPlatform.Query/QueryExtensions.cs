namespace Microsoft.Extensions.Hosting;

/// <summary>Registers and maps the service.</summary>
public static class QueryExtensions
{
    public static IHostApplicationBuilder AddQuery(this IHostApplicationBuilder builder) => builder;

    public static WebApplication MapQuery(this WebApplication app) => app;
}
