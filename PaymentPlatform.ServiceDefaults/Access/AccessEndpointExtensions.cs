using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Declares who may call an endpoint. Each endpoint needs exactly one declaration; the start fails without it.</summary>
public static class AccessEndpointExtensions
{
    /// <summary>The role that a call needs.</summary>
    public static TBuilder RequireRole<TBuilder>(this TBuilder endpoint, AccessRole role)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RequiredRole(role));

    /// <summary>For pages that people open: the browser asks for a key by itself.</summary>
    public static TBuilder WithBrowserSignIn<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(BrowserSignIn.Instance);

    /// <summary>Whether the caller has another role than the endpoint's own: for what an answer tells to some only.</summary>
    public static bool Grants(this HttpContext context, AccessRole role) => context.RequestServices.GetRequiredService<AccessRequirement>().Grants(context.User, role);

    /// <summary>The answer where a part of what the endpoint does needs another role than its own; counted as those at the door are.</summary>
    public static ProblemHttpResult Refuse(this HttpContext context, AccessRole role, string detail)
    {
        context.RequestServices.GetRequiredService<AccessTelemetry>().Refused(StatusCodes.Status403Forbidden, role);
        return TypedResults.Problem(detail, statusCode: StatusCodes.Status403Forbidden, title: "Role missing");
    }
}
