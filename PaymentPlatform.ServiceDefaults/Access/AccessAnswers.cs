using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using Microsoft.Net.Http.Headers;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>401, 403 and their reasons as problem details.</summary>
internal sealed class AccessAnswers(IOptions<AccessOptions> options, AccessTelemetry telemetry) : IAuthorizationMiddlewareResultHandler
{
    private const string Realm = "realm=\"PaymentPlatform\"";
    private const string RetrySeconds = "5";

    public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult) =>
        authorizeResult.Succeeded ? next(context) : RefuseAsync(context, authorizeResult.Forbidden);

    private async Task RefuseAsync(HttpContext context, bool isKnown)
    {
        var role = context.GetEndpoint()?.Metadata.GetMetadata<RequiredRole>()?.Role;
        if (isKnown)
        {
            await Forbid(context, role);
            return;
        }

        // The handler remembers what it found.
        var failure = (await context.AuthenticateAsync()).Failure;
        await (failure is AccessException { IsTransient: true } ? Unavailable(context, role, failure.Message) : Challenge(context, role, failure));
    }

    private Task Unavailable(HttpContext context, AccessRole? role, string detail)
    {
        context.Response.Headers.RetryAfter = RetrySeconds;
        return AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, role, "Identity provider not available", detail);
    }

    private Task Forbid(HttpContext context, AccessRole? role)
    {
        if (options.Value.Jwt is not null && role is not null && !context.Request.Headers.ContainsKey(ApiKeyHandler.Header))
            context.Response.Headers.WWWAuthenticate = $"Bearer {Realm}, error=\"insufficient_scope\", scope=\"{role.Value.Name()}\"";
        var detail = role is null ? "No role is declared for this call, so nobody may make it." : $"This call needs the role '{role.Value.Name()}', which the credential does not have.";
        return AnswerAsync(context, StatusCodes.Status403Forbidden, role, "Role missing", detail);
    }

    private Task Challenge(HttpContext context, AccessRole? role, Exception? failure)
    {
        var access = options.Value;
        var challenges = new List<string>();
        if (access.Jwt is not null)
            challenges.Add(failure is null ? $"Bearer {Realm}" : $"Bearer {Realm}, error=\"invalid_token\"");
        if (access.Keys.Count > 0)
            challenges.Add($"{ApiKeyHandler.Scheme} {Realm}");
        // On the page only: a script that fetches must not make the browser ask.
        if (access.Keys.Count > 0 && context.GetEndpoint()?.Metadata.GetMetadata<BrowserSignIn>() is not null)
            challenges.Add($"Basic {Realm}, charset=\"UTF-8\"");
        context.Response.Headers[HeaderNames.WWWAuthenticate] = challenges.ToArray();

        var needed = role is null ? "This call needs a credential" : $"This call needs a credential with the role '{role.Value.Name()}'";
        var means = (access.Jwt, access.Keys.Count) switch
        {
            (not null, > 0) => $"Authorization: Bearer, or {ApiKeyHandler.Header}",
            (not null, _) => "Authorization: Bearer",
            _ => ApiKeyHandler.Header,
        };
        var detail = failure is null ? $"{needed} ({means})." : $"{Explain(failure)} {needed} ({means}).";
        return AnswerAsync(context, StatusCodes.Status401Unauthorized, role, "Credential missing or not valid", detail);
    }

    private Task AnswerAsync(HttpContext context, int status, AccessRole? role, string title, string detail)
    {
        telemetry.Refused(status, role);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Problem(detail, statusCode: status, title: title).ExecuteAsync(context);
    }

    /// <summary>What is wrong with the token, but nothing about what would be right.</summary>
    private static string Explain(Exception failure) => failure switch
    {
        AccessException => failure.Message,
        SecurityTokenExpiredException => "The token has expired.",
        SecurityTokenNotYetValidException => "The token is not valid yet.",
        SecurityTokenNoExpirationException or SecurityTokenInvalidLifetimeException => "The token has no valid lifetime.",
        SecurityTokenInvalidAudienceException => "The token is for another audience.",
        SecurityTokenInvalidIssuerException => "The token is from another issuer.",
        SecurityTokenInvalidSignatureException or SecurityTokenInvalidAlgorithmException or SecurityTokenSignatureKeyNotFoundException or SecurityTokenInvalidSigningKeyException => "The token's signature is not valid.",
        _ => "The token is not valid.",
    };
}
