using System.Net;
using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PaymentPlatform.ServiceDefaults.Access;
using PaymentPlatform.Testing;

namespace PaymentPlatform.ServiceDefaults.Tests.Access;

/// <summary>Every endpoint of every service, called by everybody: the services' own programs, in Production, on Kestrel, over a real database and blob store.</summary>
public sealed class EndpointTableTests(PlatformFixture platform)
{
    private const string TableHead = "| service | call | role | no credential | `ingest` | `read` | `operate` |";

    private static readonly (string Name, Assembly Program)[] Services =
    [
        ("ingest", typeof(IngestExtensions).Assembly),
        ("blob-archiver", typeof(BlobArchiverExtensions).Assembly),
        ("metrics", typeof(MetricsExtensions).Assembly),
        ("query", typeof(QueryExtensions).Assembly),
        ("simulator", typeof(SimulatorExtensions).Assembly),
    ];

    private static readonly AccessRole[] Roles = Enum.GetValues<AccessRole>();

    [Fact]
    public async Task Endpoints_CalledByEveryRole_AnswerAsTheDocumentSays()
    {
        using var issuer = new TokenIssuer();
        var keys = Roles.ToDictionary(role => role, _ => Key.New());
        var settings = await SettingsAsync();
        foreach (var (role, key) in keys)
            Add(settings, Key.Settings($"test-{role}", key, role.ToString()));
        Add(settings, issuer.Settings);

        var table = new StringBuilder().Append(TableHead).Append("\n|---|---|---|---|---|---|---|\n");
        foreach (var (name, program) in Services)
        {
            await using var service = await RunningService.StartAsync(program, settings);
            using var client = new HttpClient { BaseAddress = service.Address };
            foreach (var (method, path, role) in Endpoints(service))
            {
                var call = $"{method} {path}";
                var nobody = await CallAsync(client, method, path, null);
                var answers = new List<HttpStatusCode>();
                foreach (var caller in Roles)
                {
                    var answer = await CallAsync(client, method, path, request => request.Headers.Add("X-Api-Key", keys[caller]));
                    var byToken = await CallAsync(client, method, path, request => request.Headers.Authorization = new("Bearer", issuer.Create(caller.ToString())));
                    Assert.True(IsRefusal(answer) ? answer == byToken : !IsRefusal(byToken), $"{name} {call} by {caller}: {answer} with a key, {byToken} with a token");
                    answers.Add(answer);
                }

                if (role is { } needed)
                {
                    Assert.True(nobody == HttpStatusCode.Unauthorized, $"{name} {call} without a credential: {nobody}");
                    foreach (var (caller, answer) in Roles.Zip(answers))
                        Assert.True(May(caller, needed) ? !IsRefusal(answer) : answer == HttpStatusCode.Forbidden, $"{name} {call} by {caller}: {answer}");
                    foreach (var (kind, token) in issuer.BadTokens(needed.ToString()))
                        Assert.True(await CallAsync(client, method, path, request => request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token)) == HttpStatusCode.Unauthorized, $"{name} {call} with a token that is {kind}");
                }
                else
                {
                    Assert.Contains(path, new[] { "/health", "/alive" });
                }

                table.Append($"| {name} | `{call}` | {(role is null ? "open" : $"`{role.ToString()!.ToLowerInvariant()}`")} | {Show(nobody)} | {string.Join(" | ", answers.Select(Show))} |\n");
            }
        }

        var document = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "access.md"), TestContext.Current.CancellationToken);
        Assert.True(document.ReplaceLineEndings("\n").Contains($"\n{table}\n"), $"docs/access.md does not hold the table of the running services. It is:\n{table}");
    }

    private static bool May(AccessRole caller, AccessRole needed) => caller == needed || (caller == AccessRole.Operate && needed == AccessRole.Read);

    private static bool IsRefusal(HttpStatusCode status) => status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;

    private static string Show(HttpStatusCode status) => IsRefusal(status) ? $"{(int)status}" : "yes";

    private static IEnumerable<(string Method, string Path, AccessRole? Role)> Endpoints(RunningService service) =>
        from endpoint in service.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).Cast<RouteEndpoint>()
        let role = endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null ? endpoint.Metadata.GetRequiredMetadata<RequiredRole>().Role : (AccessRole?)null
        // Health checks answer any method.
        from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        orderby role, endpoint.RoutePattern.RawText, method
        select (method, endpoint.RoutePattern.RawText!, role);

    private static async Task<HttpStatusCode> CallAsync(HttpClient client, string method, string path, Action<HttpRequestMessage>? authenticate)
    {
        using var request = new HttpRequestMessage(new(method), System.Text.RegularExpressions.Regex.Replace(path, "{[^}]+}", "0"));
        if (method is "POST" or "PUT" or "PATCH")
            request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
        authenticate?.Invoke(request);
        using var response = await client.SendAsync(request);
        if (IsRefusal(response.StatusCode))
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.True((int)response.StatusCode < 500, $"{method} {path}: {response.StatusCode}");
        return response.StatusCode;
    }

    private static void Add(Dictionary<string, string?> settings, Dictionary<string, string?> more)
    {
        foreach (var (name, value) in more)
            settings.Add(name, value);
    }

    private async Task<Dictionary<string, string?>> SettingsAsync()
    {
        var database = await platform.CreateDatabaseAsync();
        return new()
        {
            ["environment"] = "Production",
            ["ConnectionStrings:paymentsdb"] = database,
            ["ConnectionStrings:blobs"] = platform.BlobConnectionString,
            ["Storage:Container"] = platform.Connect(database).RawEvents.Name,
            ["Simulator:Rate"] = "0",
            ["Logging:LogLevel:Default"] = "None",
        };
    }
}
