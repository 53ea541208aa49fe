using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

/// <summary>An identity provider's two documents, over HTTP, with keys that can change and an outage.</summary>
internal sealed class IdentityServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _requests;

    private IdentityServer(WebApplication app) => _app = app;

    public string Authority => _app.Urls.First();

    public string Jwks { get; set; } = """{"keys":[]}""";

    public bool IsDown { get; set; }

    public int Requests => _requests;

    public Dictionary<string, string?> Settings => new() { ["Access:Jwt:Authority"] = Authority, ["Access:Jwt:Audience"] = TokenIssuer.Audience };

    public static async Task<IdentityServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new IdentityServer(app);
        app.Use((context, next) =>
        {
            Interlocked.Increment(ref server._requests);
            if (!server.IsDown)
                return next();
            context.Response.StatusCode = 502;
            return Task.CompletedTask;
        });
        app.MapGet("/.well-known/openid-configuration", () => new Dictionary<string, string> { ["issuer"] = TokenIssuer.Issuer, ["jwks_uri"] = $"{server.Authority}/keys" });
        app.MapGet("/keys", () => server.Jwks);
        await app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
