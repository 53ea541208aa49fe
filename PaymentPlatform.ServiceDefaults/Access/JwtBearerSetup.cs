using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace PaymentPlatform.ServiceDefaults.Access;

/// <summary>Sets the framework's token handler up from section <c>Access:Jwt</c>.</summary>
internal sealed class JwtBearerSetup(IOptions<AccessOptions> access, IdentityProvider provider) : IConfigureNamedOptions<JwtBearerOptions>
{
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MetadataTimeout = TimeSpan.FromSeconds(5);

    public void Configure(JwtBearerOptions options) => Configure(JwtBearerDefaults.AuthenticationScheme, options);

    public void Configure(string? name, JwtBearerOptions options)
    {
        if (name != JwtBearerDefaults.AuthenticationScheme || access.Value.Jwt is not { } jwt)
            return;
        options.MapInboundClaims = false;
        options.SaveToken = false;
        options.BackchannelTimeout = MetadataTimeout;
        options.MetadataAddress = jwt.MetadataAddress?.ToString()!;
        options.RequireHttpsMetadata = jwt.MetadataAddress is { IsLoopback: false };
        options.TokenValidationParameters = new()
        {
            ValidateIssuer = true,
            ValidIssuers = jwt.Issuers,
            ValidateAudience = true,
            ValidAudiences = jwt.Audiences,
            ValidateIssuerSigningKey = true,
            IssuerSigningKeys = jwt.SigningKeys,
            ValidAlgorithms = JwtAccess.Algorithms,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            ValidateLifetime = true,
            ClockSkew = ClockSkew,
        };
        options.Events = new()
        {
            OnMessageReceived = async context =>
            {
                if (context.Options.ConfigurationManager is { } metadata && !await provider.IsKnownAsync(metadata, context.HttpContext.RequestAborted))
                    context.Fail(new AccessException("The identity provider does not answer. Try again.") { IsTransient = true });
            },
            OnTokenValidated = context =>
            {
                context.Principal = TokenPrincipal.Create(context.Principal!, jwt.RoleClaims);
                return Task.CompletedTask;
            },
        };
    }
}
