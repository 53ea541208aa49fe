using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authorization;
using PaymentPlatform.ServiceDefaults.Access;
using Scalar.AspNetCore;

namespace PaymentPlatform.Query;

/// <summary><c>GET /</c> (the page), <c>GET /openapi/v1.json</c>, and <c>GET /scalar</c>, which shows it.</summary>
public static class ConsoleApi
{
    private static readonly byte[] Index = Resource("index.html");
    private static readonly byte[] Document = ApiDocument.Build(Resource("openapi.json"), Resource("examples.json"));

    /// <summary>The page shows hostile data: nothing runs in it but the one script and the one style that are ours.</summary>
    private static readonly string Policy =
        $"default-src 'none'; script-src '{Hash("script")}'; style-src '{Hash("style")}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void MapConsoleApi(this IEndpointRouteBuilder app)
    {
        app.MapGet("/", (HttpResponse response) =>
        {
            response.Headers.ContentSecurityPolicy = Policy;
            return TypedResults.Bytes(Index, "text/html; charset=utf-8");
        }).RequireRole(AccessRole.Read).WithBrowserSignIn();
        app.MapGet("/openapi/v1.json", (HttpRequest request) => TypedResults.Bytes(ApiDocument.At($"{request.Scheme}://{request.Host}{request.PathBase}", Document), "application/json")).RequireRole(AccessRole.Read);
        app.MapScalarApiReference("/scalar", Configure).RequireRole(AccessRole.Read).WithBrowserSignIn()
            // It opens its scripts to everybody.
            .Finally(endpoint =>
            {
                foreach (var open in endpoint.Metadata.OfType<IAllowAnonymous>().ToList())
                    endpoint.Metadata.Remove(open);
            });
    }

    /// <summary>All of it is in the package. It styles itself as it goes; but no script runs that is not its own, nothing comes from elsewhere, and nothing goes there.</summary>
    private static void Configure(ScalarOptions reference, HttpContext context)
    {
        reference.Title = "PaymentPlatform API";
        reference.OpenApiRoutePattern = "/openapi/v1.json";
        reference.Nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        reference.DefaultFonts = false;
        reference.Telemetry = false;
        reference.HideClientButton = true;
        reference.ShowDeveloperTools = DeveloperToolsVisibility.Never;
        reference.DisableAgent();
        reference.DisableMcp();
        context.Response.Headers.ContentSecurityPolicy =
            $"default-src 'none'; script-src 'self' 'nonce-{reference.Nonce}'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    }

    private static string Hash(string element)
    {
        var page = Encoding.UTF8.GetString(Index);
        var start = page.IndexOf($"<{element}>", StringComparison.Ordinal) + element.Length + 2;
        var content = page[start..page.IndexOf($"</{element}>", start, StringComparison.Ordinal)];
        return "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)));
    }

    private static byte[] Resource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
