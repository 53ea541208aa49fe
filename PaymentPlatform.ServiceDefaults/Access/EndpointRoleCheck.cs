using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Before anything starts: every endpoint says who may call it.</summary>
internal sealed class EndpointRoleCheck : IHostedLifecycleService
{
    private static readonly string[] Open = [PlatformNames.ReadyPath, PlatformNames.AlivePath];

    /// <summary>Where the endpoints are; set by <c>UseAccess</c>.</summary>
    public IEndpointRouteBuilder? Routes { get; set; }

    /// <exception cref="InvalidOperationException">An endpoint has no role, or two, or is open without being a health check.</exception>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        if (Routes is null)
            throw new InvalidOperationException("app.UseAccess() is missing: nothing would ask for a credential.");
        var faults = Routes.DataSources.SelectMany(source => source.Endpoints).Select(Fault).OfType<string>().ToList();
        return faults.Count == 0 ? Task.CompletedTask : throw new InvalidOperationException(string.Join(" ", faults));
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static string? Fault(Endpoint endpoint)
    {
        var route = (endpoint as RouteEndpoint)?.RoutePattern.RawText;
        var name = $"{string.Join(',', endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [])} {route ?? endpoint.DisplayName}".TrimStart();
        var roles = endpoint.Metadata.GetOrderedMetadata<RequiredRole>().Count;
        if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            return Open.Contains(route) ? null : $"{name} is open to everybody: only {string.Join(" and ", Open)} may be.";
        return roles == 1 ? null : $"{name} declares {(roles == 0 ? "no role" : $"{roles} roles")}: say who may call it with one RequireRole.";
    }
}
