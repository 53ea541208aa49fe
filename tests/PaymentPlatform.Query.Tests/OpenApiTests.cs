using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PaymentPlatform.ServiceDefaults.Access;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class OpenApiTests(PlatformFixture platform)
{
    [Fact]
    public async Task Document_Paths_AreTheMappedOnes()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var document = await host.GetAsync("/openapi/v1.json");
        var mapped = host.App.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .SelectMany(e => e.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Select(m => $"{m} {e.RoutePattern.RawText}")).Order();
        var described = document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Select(m => $"{m.Name.ToUpperInvariant()} {p.Name}")).ToList();
        // The one that the ingest service maps.
        Assert.True(described.Remove("POST /v1/transactions"));
        Assert.Equal(mapped, described.Order());
    }

    [Fact]
    public async Task Document_Security_NamesTheRoleThatTheEndpointNeeds()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var document = await host.GetAsync("/openapi/v1.json");
        var needed = host.App.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .SelectMany(e => e.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Select(m => $"{m} {e.RoutePattern.RawText} {e.Metadata.GetRequiredMetadata<RequiredRole>().Role.ToString().ToLowerInvariant()}"))
            // The one that the ingest service maps.
            .Append("POST /v1/transactions ingest").Order();
        var schemes = document.GetProperty("components").GetProperty("securitySchemes").EnumerateObject().Select(s => s.Name).ToHashSet();
        var described = new List<string>();
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var security = operation.Value.GetProperty("security").EnumerateArray().SelectMany(s => s.EnumerateObject()).ToList();
                Assert.All(security, s => Assert.Contains(s.Name, schemes));
                var role = Assert.Single(security.SelectMany(s => s.Value.EnumerateArray().Select(r => r.GetString())).Distinct());
                described.Add($"{operation.Name.ToUpperInvariant()} {path.Name} {role}");
                Assert.All(["401", "403"], status => Assert.True(operation.Value.GetProperty("responses").TryGetProperty(status, out _), $"{path.Name} {status}"));
            }
        }

        Assert.Equal(needed, described.Order());
    }

    [Fact]
    public async Task Document_References_AllResolve()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var document = await host.GetAsync("/openapi/v1.json");
        var schemas = document.GetProperty("components").GetProperty("schemas");
        var references = References(document).ToList();
        Assert.NotEmpty(references);
        Assert.All(references, r => Assert.True(schemas.TryGetProperty(r["#/components/schemas/".Length..], out _), r));
    }

    [Fact]
    public async Task Document_Parameters_AreTheKnownOnes()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var document = await host.GetAsync("/openapi/v1.json");
        foreach (var path in document.GetProperty("paths").EnumerateObject().Where(p => p.Name.StartsWith("/v1/", StringComparison.Ordinal) && p.Value.TryGetProperty("get", out _)))
        {
            // The answer to an unknown parameter lists the known ones.
            var problem = await host.GetAsync(path.Name.Replace("{transaction_id}", "x").Replace("{id}", "1") + "?no_such=1", System.Net.HttpStatusCode.BadRequest);
            var known = problem.GetProperty("errors").GetProperty("no_such")[0].GetString()!.Split("Known: ")[1].TrimEnd('.').Split(", ", StringSplitOptions.RemoveEmptyEntries);
            var described = path.Value.GetProperty("get").TryGetProperty("parameters", out var parameters)
                ? parameters.EnumerateArray().Where(p => p.GetProperty("in").GetString() == "query").Select(p => p.GetProperty("name").GetString()!)
                : [];
            Assert.Equal(known.Order(), described.Where(d => d != "csv_formulas").Order());
        }
    }

    [Fact]
    public async Task Document_Schemas_AreWhatIsAnswered()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
        await ListApiTests.FillPipelineAsync(host);
        await ListApiTests.FillFailedItemsAsync(host, 1);
        await DynamicMetricsApiTests.FillAsync(host);
        await RulesApiTests.FillAsync(host);
        await RebuildsApiTests.FillAsync(host);
        await ReplayHarness.AskAsync(host);
        await MetricRows.FillAsync(host, MetricRows.Events(new(1), new(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc), 5, 1));
        var schemas = (await host.GetAsync("/openapi/v1.json")).GetProperty("components").GetProperty("schemas");
        foreach (var (schema, path) in ((string, string)[])[("Event", "/v1/events"), ("PipelineItem", "/v1/pipeline"), ("RuleVersion", "/v1/rules"), ("Rebuild", "/v1/metrics/rebuilds"), ("Replay", "/v1/replays"), ("FailedItemSummary", "/v1/failed-items"), ("ArchiveFile", "/v1/archive/files"),
            ("Histogram", "/v1/metrics/histograms?from=2026-03-01&to=2026-03-02&group_by=payment_method,payment_status"), ("DynamicMetric", "/v1/metrics/dynamic?from=2026-03-01&to=2026-03-02"),
            ("PaymentMetrics", "/v1/metrics/payments?from=2026-03-01&to=2026-03-02&group_by=payment_method,payment_status&compare=previous&metrics=" + string.Join(',', PaymentMetricsQuery.AllMetrics))])
        {
            var described = schemas.GetProperty(schema).GetProperty("properties").EnumerateObject().Select(p => p.Name).Where(n => n != "raw_payload_base64");
            Assert.Equal(described.Order(), (await host.GetAllAsync(path))[0].EnumerateObject().Select(p => p.Name).Order());
        }
    }

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => p.Name == "$ref" ? [p.Value.GetString()!] : References(p.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
