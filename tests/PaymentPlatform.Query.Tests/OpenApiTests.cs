using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PaymentPlatform.Events;
using PaymentPlatform.Query.Tests.FailedItems;
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
        var mapped = Described(host)
            .SelectMany(e => e.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Select(m => $"{m} {e.RoutePattern.RawText}")).Order();
        var described = document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Select(m => $"{m.Name.ToUpperInvariant()} {p.Name}")).ToList();
        // The one that the ingest service maps.
        Assert.True(described.Remove("POST /v1/transactions"));
        Assert.Equal(mapped, described.Order());
    }

    [Fact]
    public async Task Document_Servers_IsWhereItWasAskedFor()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var name in (string[])[host.Address.Authority, $"localhost:{host.Address.Port}"])
        {
            using var response = await host.Client.SendAsync(new(HttpMethod.Get, "/openapi/v1.json") { Headers = { Host = name } });
            var server = Assert.Single(JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("servers").EnumerateArray());
            Assert.Equal($"http://{name}", server.GetProperty("url").GetString());
        }
    }

    [Fact]
    public async Task Document_Security_NamesTheRoleThatTheEndpointNeeds()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var document = await host.GetAsync("/openapi/v1.json");
        var needed = Described(host)
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
            var known = problem.GetProperty("errors").GetProperty("no_such")[0].GetString()!.Split("Known: ") is [_, var names] ? names.TrimEnd('.').Split(", ") : [];
            var described = path.Value.GetProperty("get").TryGetProperty("parameters", out var parameters)
                ? parameters.EnumerateArray().Where(p => p.GetProperty("in").GetString() == "query").Select(p => p.GetProperty("name").GetString()!)
                : [];
            Assert.Equal(known.Order(), described.Where(d => d != "csv_formulas").Order());
            if (known.Length == 0)
                Assert.Equal("no_such: There is no such parameter here; there is none at all.", problem.GetProperty("detail").GetString());
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

    [Fact]
    public async Task Document_RulesTaken_IsWhatPutAnswers()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var described = (await host.GetAsync("/openapi/v1.json")).GetProperty("components").GetProperty("schemas").GetProperty("RulesTaken").GetProperty("properties");
        var answer = await RulesApiTests.PutAsync(host, RulesApiTests.Rules(1, "amount > 10"));
        Assert.Equal(described.EnumerateObject().Select(p => p.Name).Order(), answer.EnumerateObject().Select(p => p.Name).Order());
    }

    [Fact]
    public async Task Document_EveryOperation_IsDescribedWithExamples()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var document = await host.GetAsync("/openapi/v1.json");
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var name = $"{operation.Name} {path.Name}";
                AssertText(operation.Value, "summary", name);
                AssertText(operation.Value, "description", name);
                foreach (var parameter in operation.Value.TryGetProperty("parameters", out var parameters) ? parameters.EnumerateArray() : default)
                    AssertText(parameter, "description", $"{name} {parameter}");
                if (operation.Value.TryGetProperty("requestBody", out var body))
                    AssertExamples(body, $"{name} request");
                foreach (var response in operation.Value.GetProperty("responses").EnumerateObject())
                {
                    AssertText(response.Value, "description", $"{name} {response.Name}");
                    if (response.Name != "204")
                        AssertExamples(response.Value, $"{name} {response.Name}");
                    // What one service answers to a wrong body of the caller's own is no problem document: the rejections.
                    if (response.Name[0] is '4' or '5' && name != "post /v1/transactions")
                        Assert.Equal("application/problem+json", Assert.Single(response.Value.GetProperty("content").EnumerateObject()).Name);
                }
            }
        }
    }

    [Fact]
    public async Task Document_Examples_HaveTheMembersOfTheirSchemas()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var document = await host.GetAsync("/openapi/v1.json");
        var schemas = document.GetProperty("components").GetProperty("schemas");
        var checkedSchemas = new HashSet<string>();
        foreach (var media in Contents(document.GetProperty("paths")))
        {
            var schema = media.GetProperty("schema");
            // Some forms of an answer are texts: NDJSON, CSV.
            if (!media.TryGetProperty("example", out var example) || example.ValueKind != JsonValueKind.Object)
                continue;
            if (schema.TryGetProperty("properties", out var page) && page.TryGetProperty("items", out var items))
                (schema, example) = (items.GetProperty("items"), example.GetProperty("items")[0]);
            if (!schema.TryGetProperty("$ref", out var reference) || reference.GetString() is "#/components/schemas/Problem" or "#/components/schemas/FailedItem")
                continue;
            var name = reference.GetString()!["#/components/schemas/".Length..];
            checkedSchemas.Add(name);
            var known = PropertiesOf(schemas, name).ToHashSet();
            var isOpen = schemas.GetProperty(name).TryGetProperty("additionalProperties", out var more) && more.ValueKind == JsonValueKind.True;
            Assert.All(example.EnumerateObject(), member => Assert.True(isOpen || known.Contains(member.Name), $"{name}.{member.Name}"));
            if (schemas.GetProperty(name).TryGetProperty("required", out var required))
                Assert.All(required.EnumerateArray(), member => Assert.True(example.TryGetProperty(member.GetString()!, out _), $"{name}.{member}"));
        }

        Assert.InRange(checkedSchemas.Count, 14, 100);
    }

    /// <summary>An example that is copied works, and one that is read tells what is answered.</summary>
    [Fact]
    public async Task Document_Examples_AreAsTheServicesSpeak()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var document = await host.GetAsync("/openapi/v1.json");
        var error = Assert.Single(new TransactionParser(new()).Parse("""{"transaction_id": "tx-1002", "transaction_timestamp": "2026-01-31T08:15:30Z", "amount": -5, "currency": "EUR", "payment_method": "credit_card", "payment_status": "completed"}"""u8.ToArray(), long.MaxValue / 2).Errors);
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                foreach (var example in Contents(operation.Value).Select(c => c.TryGetProperty("example", out var example) ? example : default))
                {
                    Assert.All(Members(example, "constraint"), c => Assert.Equal(error.Constraint, c.GetString()));
                    Assert.All(Members(example, "error_type"), t => Assert.Contains(t.GetString(), Constraints.All));
                    Assert.All(Members(example, "metric_type"), t => Assert.True(Enum.TryParse<MetricEngine.Rules.MetricType>(t.GetString(), ignoreCase: true, out _), t.GetString()));
                    foreach (var e in Members(example, "errors").Where(e => e.ValueKind == JsonValueKind.Array).SelectMany(e => e.EnumerateArray()).Where(e => e.TryGetProperty("field", out _)))
                        Assert.Equal((error.Field, error.Constraint, error.Expected, error.Actual, error.Message), (e.Text("field"), e.Text("constraint"), e.Text("expected"), e.Text("actual"), e.Text("message")));
                }

                if (operation.Name != "get" || !operation.Value.TryGetProperty("parameters", out var parameters))
                    continue;
                var query = string.Join('&', parameters.EnumerateArray().Where(p => p.GetProperty("in").GetString() == "query" && p.TryGetProperty("example", out _)).Select(p => $"{p.Text("name")}={Uri.EscapeDataString(p.GetProperty("example").ToString())}"));
                using var answer = await host.Client.GetAsync($"{path.Name.Replace("{transaction_id}", "tx-1001").Replace("{id}", "42")}?{query}");
                Assert.NotEqual(System.Net.HttpStatusCode.BadRequest, answer.StatusCode);
            }
        }

        var problem = document.GetProperty("paths").GetProperty("/v1/events").GetProperty("get").GetProperty("responses").GetProperty("400").GetProperty("content").GetProperty("application/problem+json").GetProperty("example");
        var real = await host.GetAsync("/v1/events?limit=1001", System.Net.HttpStatusCode.BadRequest);
        Assert.Equal(real.EnumerateObject().OrderBy(m => m.Name).Select(m => m.ToString()).Where(m => !m.StartsWith("\"traceId\"", StringComparison.Ordinal)), problem.EnumerateObject().OrderBy(m => m.Name).Select(m => m.ToString()));
    }

    private static IEnumerable<JsonElement> Members(JsonElement value, string name) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(m => m.Name == name ? [m.Value] : Members(m.Value, name)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(v => Members(v, name)),
        _ => [],
    };

    /// <summary>The page that shows the document is no part of it.</summary>
    private static IEnumerable<RouteEndpoint> Described(QueryHost host) =>
        host.App.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>().Where(e => !e.RoutePattern.RawText!.StartsWith("/scalar", StringComparison.Ordinal));

    private static void AssertText(JsonElement element, string member, string what) =>
        Assert.True(element.TryGetProperty(member, out var text) && text.GetString()!.Length > 2, $"{what} has no {member}.");

    private static void AssertExamples(JsonElement element, string what)
    {
        foreach (var media in element.GetProperty("content").EnumerateObject())
            Assert.True(media.Value.TryGetProperty("example", out _), $"{what} {media.Name} has no example: put one into Console/examples.json.");
    }

    /// <summary>Of the schema itself, or of those that it consists of.</summary>
    private static IEnumerable<string> PropertiesOf(JsonElement schemas, string name)
    {
        var schema = schemas.GetProperty(name);
        return (schema.TryGetProperty("allOf", out var parts) ? parts.EnumerateArray() : Enumerable.Repeat(schema, 1))
            .SelectMany(part => part.TryGetProperty("$ref", out var reference) ? PropertiesOf(schemas, reference.GetString()!.Split('/')[^1]) : part.GetProperty("properties").EnumerateObject().Select(p => p.Name));
    }

    private static IEnumerable<JsonElement> Contents(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => p.Name == "content" ? p.Value.EnumerateObject().Select(m => m.Value).Where(m => m.TryGetProperty("schema", out _)) : Contents(p.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Contents),
        _ => [],
    };

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => p.Name == "$ref" ? [p.Value.GetString()!] : References(p.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
