using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>
/// A browser lets any page on the web send requests here, to this machine's own addresses too, and adds what it knows of Basic. No page but our own has business with the services;
/// and while calls need no credential, a foreign host name (a name that was rebound to this machine) is as bad.
/// </summary>
internal sealed class ForeignPageGuard(RequestDelegate next, AccessRequirement access, IOptions<AccessOptions> options, AccessTelemetry telemetry)
{
    public Task InvokeAsync(HttpContext context)
    {
        // Health is for everybody, and probes call it by many names.
        if (context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            return next(context);
        if (IsForeignPage(context.Request))
            return RefuseAsync(context, "Foreign page", "The request was made by a page of another origin.");
        if (access.IsOpen && !IsOwnHost(context.Request.Host.Host))
            return RefuseAsync(context, "Foreign host", "While calls need no credential, only this machine's own names are served: use localhost or an address, or name the host in Access:Hosts.");
        return next(context);
    }

    private static bool IsForeignPage(HttpRequest request)
    {
        // Only browsers send it, and no script can change it.
        if (request.Headers["Sec-Fetch-Site"] is [{ } site])
            return site is not ("same-origin" or "none") && !IsNavigation(request);
        return request.Headers.Origin is { Count: > 0 } origin && !IsOwn(origin.ToString(), request.Host);
    }

    /// <summary>Somebody followed a link to us: the other page does not get to see the answer.</summary>
    private static bool IsNavigation(HttpRequest request) => HttpMethods.IsGet(request.Method) && request.Headers["Sec-Fetch-Mode"] == "navigate";

    private static bool IsOwn(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri) && string.Equals(uri.Authority, Normalize(uri.Scheme, host), StringComparison.OrdinalIgnoreCase);

    private static string Normalize(string scheme, HostString host) => Uri.TryCreate($"{scheme}://{host.Value}", UriKind.Absolute, out var uri) ? uri.Authority : "";

    /// <summary>Without a name it is no browser.</summary>
    private bool IsOwnHost(string host) =>
        host.Length == 0
        || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || IPAddress.TryParse(host, out _)
        || options.Value.Hosts.Contains(host, StringComparer.OrdinalIgnoreCase);

    private Task RefuseAsync(HttpContext context, string title, string detail)
    {
        telemetry.Refused(StatusCodes.Status403Forbidden, context.GetEndpoint()?.Metadata.GetMetadata<RequiredRole>()?.Role);
        return TypedResults.Problem(detail, statusCode: StatusCodes.Status403Forbidden, title: title).ExecuteAsync(context);
    }
}
