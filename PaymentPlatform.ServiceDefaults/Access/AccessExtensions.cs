using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using PaymentPlatform.ServiceDefaults.Access;

namespace Microsoft.Extensions.Hosting;

/// <summary>Who may call what.</summary>
public static class AccessExtensions
{
    private const string Scheme = "Access";

    /// <summary>
    /// Section <c>Access</c>. Outside Development each call but <c>/health</c> and <c>/alive</c> needs a credential with the endpoint's role, and a start without any credential source is refused.
    /// The first call counts; part of <c>AddServiceDefaults</c>.
    /// </summary>
    public static TBuilder AddAccess<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder =>
        builder.AddAccess(builder.Environment.IsDevelopment() ? null : $"In the environment {builder.Environment.EnvironmentName} calls need a credential");

    /// <summary>For a host with rules of its own: calls need a credential when one is configured, or for the reason given.</summary>
    /// <param name="reason">Why calls need a credential, to be followed by "and none is configured". Null: they need none unless one is configured.</param>
    public static TBuilder AddAccessFor<TBuilder>(this TBuilder builder, string? reason)
        where TBuilder : IHostApplicationBuilder =>
        builder.AddAccess(reason ?? (AccessOptionsReader.HasSource(builder.Configuration) ? "Credentials are configured" : null));

    /// <summary>Takes effect on what is mapped, before or after; behind <c>UseProblemAnswers</c>.</summary>
    public static WebApplication UseAccess(this WebApplication app)
    {
        app.Services.GetRequiredService<EndpointRoleCheck>().Routes = app;
        app.UseMiddleware<OperateLog>();
        app.UseMiddleware<ForeignPageGuard>();
        app.UseAuthentication();
        app.UseAuthorization();
        return app;
    }

    /// <summary>Whether a call needs a credential here.</summary>
    public static bool CallsNeedCredential(this WebApplication app) => !app.Services.GetRequiredService<AccessRequirement>().IsOpen;

    private static TBuilder AddAccess<TBuilder>(this TBuilder builder, string? reason)
        where TBuilder : IHostApplicationBuilder
    {
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(AccessRequirement)))
            return builder;

        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton(new AccessRequirement(reason));
        services.AddSingleton<AccessOptionsReader>();
        services.AddSingleton<IConfigureOptions<AccessOptions>>(provider => provider.GetRequiredService<AccessOptionsReader>());
        services.AddSingleton<IValidateOptions<AccessOptions>>(provider => provider.GetRequiredService<AccessOptionsReader>());
        services.AddOptions<AccessOptions>().ValidateOnStart();
        services.AddSingleton<AccessTelemetry>();
        services.AddSingleton<ApiKeyRing>();
        services.AddSingleton<IdentityProvider>();
        services.AddSingleton<EndpointRoleCheck>();
        services.AddHostedService(provider => provider.GetRequiredService<EndpointRoleCheck>());

        // Not AddAuthentication: it brings data protection along, which writes keys to the disk that nothing here needs; nor AddJwtBearer, which takes settings from a second section.
        services.AddWebEncoders();
        services.AddAuthenticationCore(options => options.DefaultScheme = Scheme);
        new AuthenticationBuilder(services)
            .AddPolicyScheme(Scheme, null, options => options.ForwardDefaultSelector = SchemeOf)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.Scheme, null)
            .AddScheme<JwtBearerOptions, JwtBearerHandler>(JwtBearerDefaults.AuthenticationScheme, null);
        services.AddSingleton<IConfigureOptions<JwtBearerOptions>, JwtBearerSetup>();
        services.AddSingleton<IPostConfigureOptions<JwtBearerOptions>, JwtBearerPostConfigureOptions>();
        services.AddSingleton<IAuthorizationHandler, RoleRequirementHandler>();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, AccessAnswers>();
        services.AddAuthorization(options =>
        {
            foreach (var role in Enum.GetValues<AccessRole>())
                options.AddPolicy(role.Name(), policy => policy.AddRequirements(new RoleRequirement(role)));
            options.DefaultPolicy = options.FallbackPolicy = new([new RoleRequirement(null)], []);
        });
        return builder;
    }

    /// <summary>A key where there is one, else the token.</summary>
    private static string SchemeOf(HttpContext context) =>
        !context.Request.Headers.ContainsKey(ApiKeyHandler.Header)
        && context.Request.Headers.Authorization is [{ } authorization] && authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
        && context.RequestServices.GetRequiredService<IOptions<AccessOptions>>().Value.Jwt is not null
            ? JwtBearerDefaults.AuthenticationScheme
            : ApiKeyHandler.Scheme;
}
