using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /</c> (the page) and <c>GET /openapi/v1.json</c>.</summary>
public static class ConsoleApi
{
    private static readonly byte[] Index = Resource("index.html");
    private static readonly byte[] Document = Resource("openapi.json");

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
        app.MapGet("/openapi/v1.json", () => TypedResults.Bytes(Document, "application/json")).RequireRole(AccessRole.Read);
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
