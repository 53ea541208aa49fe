using Aspire.Hosting.Azure;

namespace PaymentPlatform.AppHost;

/// <summary>What a developer's machine gets: data that stays, and links that lead somewhere.</summary>
internal static class LocalExtensions
{
    public static void KeepData(this IResourceBuilder<AzureStorageEmulatorResource> azurite, PlatformSettings settings)
    {
        if (settings.KeepData)
            azurite.WithDataVolume().WithLifetime(ContainerLifetime.Persistent);
    }

    public static void KeepData(this IResourceBuilder<PostgresServerResource> server, PlatformSettings settings)
    {
        if (settings.KeepData)
            server.WithDataVolume().WithLifetime(ContainerLifetime.Persistent);
    }

    /// <summary>The dashboard's link of a service that people or clients call.</summary>
    public static IResourceBuilder<ProjectResource> ShowUrl(this IResourceBuilder<ProjectResource> service, string text, string path) =>
        service.WithUrlForEndpoint("http", url =>
        {
            url.DisplayText = text;
            url.Url = path;
        });

    public static IResourceBuilder<ProjectResource> AlsoShowUrl(this IResourceBuilder<ProjectResource> service, string text, string path) =>
        service.WithUrl(ReferenceExpression.Create($"{service.GetEndpoint("http")}{path}"), text);

    /// <summary>A service without calls of its own: its health among the details.</summary>
    public static IResourceBuilder<ProjectResource> ShowHealthOnly(this IResourceBuilder<ProjectResource> service) =>
        service.WithUrlForEndpoint("http", url =>
        {
            url.DisplayText = "Health";
            url.Url = PlatformNames.ReadyPath;
            url.DisplayLocation = UrlDisplayLocation.DetailsOnly;
        });
}
