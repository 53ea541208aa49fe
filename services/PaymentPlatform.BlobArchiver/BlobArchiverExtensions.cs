namespace Microsoft.Extensions.Hosting;

/// <summary>Registers and maps the service.</summary>
public static class BlobArchiverExtensions
{
    public static IHostApplicationBuilder AddBlobArchiver(this IHostApplicationBuilder builder) => builder;

    public static WebApplication MapBlobArchiver(this WebApplication app) => app;
}
