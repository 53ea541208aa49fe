using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class RulesApiTests(PlatformFixture platform)
{
    [Fact]
    public async Task Put_NewRules_AreTheNextVersionOfTheCaller()
    {
        await using var host = await QueryHost.StartAsync(platform);
        Assert.Empty(await host.GetAllAsync("/v1/rules"));
        var first = await PutAsync(host, Rules(1, "amount > 10"), "?note=first%20ones");
        var second = await PutAsync(host, Rules(2, "amount > 20"));
        Assert.Equal(("first ones", "anonymous", RuleSet.Parse(Rules(1, "amount > 10"), "").RuleSet!.Hash), (first.GetProperty("note").GetString(), first.GetProperty("created_by").GetString(), first.GetProperty("hash").GetString()));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("note").ValueKind);
        Assert.Equal(first.GetProperty("version").GetInt64() + 1, second.GetProperty("version").GetInt64());

        var listed = await host.GetAllAsync("/v1/rules?limit=1");
        Assert.Equal([(2, true, Rules(2, "amount > 20"), null), (1, false, Rules(1, "amount > 10"), "first ones")], listed.Select(v => (
            v.GetProperty("version").GetInt64() - first.GetProperty("version").GetInt64() + 1, v.GetProperty("active").GetBoolean(), v.GetProperty("rules").GetString()!, v.GetProperty("note").GetString())));
    }

    [Fact]
    public async Task Put_Rules_AnswersWhatChanged()
    {
        await using var host = await QueryHost.StartAsync(platform);
        Assert.Equal("1 added big; changed ; removed ", Changes(await PutAsync(host, Rules(1, "amount > 10"))));
        var other = Rules(1, "amount > 1").Replace("big", "other").Replace("rules:\n", "");
        Assert.Equal("2 added other; changed ; removed ", Changes(await PutAsync(host, Rules(1, "amount > 10") + other)));
        Assert.Equal("1 added ; changed big; removed other", Changes(await PutAsync(host, Rules(2, "amount > 20"))));
        Assert.Equal("1 added ; changed big; removed ", Changes(await PutAsync(host, Rules(2, "amount > 20") + "    enabled: false\n")));

        static string Changes(JsonElement answer) =>
            $"{answer.GetProperty("rule_count")} {string.Join("; ", new[] { "added", "changed", "removed" }.Select(n => $"{n} {string.Join(' ', answer.GetProperty(n).EnumerateArray())}"))}";
    }

    [Fact]
    public async Task Rules_NoneThatWorks_TakenWithAWarningThatIsLogged()
    {
        var log = new LogLines<RulesApiTests>();
        await using var host = await QueryHost.StartAsync(platform, services: s => s.AddSingleton<ILoggerFactory>(new OneLogger(log)));
        Assert.Empty((await PutAsync(host, Rules(1, "amount > 10"))).GetProperty("warnings").EnumerateArray());
        foreach (var (yaml, said) in ((string, string)[])[("rules: []\n", "no rules"), (Rules(1, "amount > 10") + "    enabled: false\n", "enabled: false")])
        {
            Assert.Contains(said, Assert.Single((await SendAsync(host, HttpMethod.Post, "/v1/rules/validate", yaml, HttpStatusCode.OK)).GetProperty("warnings").EnumerateArray()).GetString());
            Assert.Contains(said, Assert.Single((await PutAsync(host, yaml)).GetProperty("warnings").EnumerateArray()).GetString());
            Assert.Single(log.Lines, line => line.StartsWith("Warning: Version", StringComparison.Ordinal) && line.Contains(said));
        }
    }

    [Fact]
    public async Task GetRules_AsYaml_TheNewestTextAlone()
    {
        await using var host = await QueryHost.StartAsync(platform);
        using (var none = await AsYamlAsync(host, "application/yaml"))
            Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        await PutAsync(host, Rules(1, "amount > 10"));
        var text = Rules(2, "amount > 20") + "    description: \"\\\"ü\\\"\"\n";
        await PutAsync(host, text);
        foreach (var (accept, type) in ((string, string)[])[("application/yaml", "application/yaml"), ("application/json;q=0.5, application/yaml", "application/yaml"), ("*/*", "application/json"), ("application/yaml;q=0.1, application/json", "application/json")])
        {
            using var response = await AsYamlAsync(host, accept);
            Assert.Equal((HttpStatusCode.OK, type), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
            if (type == "application/yaml")
                Assert.Equal(text, await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Put_WithAKey_CreatedByNamesIt()
    {
        var key = new string('k', 30);
        await using var host = await QueryHost.StartAsync(platform, new() { ["Access:OperateKey"] = key });
        host.Client.DefaultRequestHeaders.Add("X-Api-Key", key);
        Assert.Equal("key:operate", (await PutAsync(host, Rules(1, "amount > 10"))).GetProperty("created_by").GetString());
    }

    [Fact]
    public async Task Put_TheTextThatIsTheLatest_MakesNoNewVersion()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var first = await PutAsync(host, Rules(1, "amount > 10"), "?note=one");
        // With a byte order mark the text is the same.
        var again = await PutAsync(host, "\uFEFF" + Rules(1, "amount > 10"), "?note=two");
        Assert.Equal(first.GetRawText(), again.GetRawText());
        Assert.Single(await host.GetAllAsync("/v1/rules"));
    }

    [Fact]
    public async Task Put_AnotherMeaningUnderTheSameVersion_RefusedAndNothingTaken()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await PutAsync(host, Rules(3, "amount > 10"));
        var problem = await SendAsync(host, HttpMethod.Put, "/v1/rules", Rules(3, "amount > 11"), HttpStatusCode.UnprocessableEntity);
        var error = Assert.Single(problem.GetProperty("errors").EnumerateArray());
        Assert.Equal(("big", 2), (error.GetProperty("rule").GetString(), error.GetProperty("line").GetInt32()));
        Assert.Contains("raise its version to 4", error.GetProperty("message").GetString());
        Assert.Equal(Rules(3, "amount > 10"), Assert.Single(await host.GetAllAsync("/v1/rules")).GetProperty("rules").GetString());
        // A description is not the meaning.
        await PutAsync(host, Rules(3, "amount > 10") + "    description: More than ten.\n");
        Assert.Equal(2, (await host.GetAllAsync("/v1/rules")).Count);
    }

    [Fact]
    public async Task Put_RuleThatComesBackWithAnotherMeaning_RefusedUnderEachVersionItHad()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var first = await PutAsync(host, Rules(1, "amount > 10"));
        await PutAsync(host, Rules(2, "amount > 20"));
        await PutAsync(host, Rules(1, "amount > 1").Replace("big", "other"));
        foreach (var version in (int[])[1, 2])
        {
            var problem = await SendAsync(host, HttpMethod.Put, "/v1/rules", Rules(version, "amount > 30"), HttpStatusCode.UnprocessableEntity);
            var error = Assert.Single(problem.GetProperty("errors").EnumerateArray());
            Assert.Equal("big", error.GetProperty("rule").GetString());
            Assert.Contains("raise its version to 3", error.GetProperty("message").GetString());
        }

        Assert.Equal(3, (await host.GetAllAsync("/v1/rules")).Count);
        // As it was it may come back.
        Assert.Equal(first.GetProperty("version").GetInt64() + 3, (await PutAsync(host, Rules(1, "amount > 10"))).GetProperty("version").GetInt64());
        await PutAsync(host, Rules(3, "amount > 30"));
    }

    [Fact]
    public async Task Put_TwoCallersAtOnceWithOtherMeanings_OneIsRefused()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await PutAsync(host, Rules(1, "amount > 10"));
        var statuses = await Task.WhenAll(Enumerable.Range(0, 3).Select(async i =>
        {
            using var response = await host.Client.PutAsync("/v1/rules", Yaml(Rules(2, $"amount > 2{i}")));
            return response.StatusCode;
        }));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.UnprocessableEntity, HttpStatusCode.UnprocessableEntity], statuses.Order());
        Assert.Equal(2, (await host.GetAllAsync("/v1/rules")).Count);
    }

    [Theory]
    [InlineData("PUT", "/v1/rules")]
    [InlineData("POST", "/v1/rules/validate")]
    public async Task Rules_Faulty_EachFaultIsNamedAndNothingTaken(string method, string path)
    {
        await using var host = await QueryHost.StartAsync(platform);
        var yaml = Rules(1, "amount >") + "  - name: other\n    version: 0\n    metric_type: count\n    condition: amount > 1\n";
        var problem = await SendAsync(host, new(method), path, yaml, HttpStatusCode.UnprocessableEntity);
        Assert.False(problem.GetProperty("valid").GetBoolean());
        Assert.Equal(["big 5", "other 7"], problem.GetProperty("errors").EnumerateArray().Select(e => $"{e.GetProperty("rule").GetString()} {e.GetProperty("line").GetInt32()}"));
        Assert.All(problem.GetProperty("errors").EnumerateArray(), e => Assert.NotEmpty(e.GetProperty("message").GetString()!));
        Assert.Empty(await host.GetAllAsync("/v1/rules"));
    }

    [Fact]
    public async Task Validate_StarterRules_ValidAndNothingTaken()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var answer = await SendAsync(host, HttpMethod.Post, "/v1/rules/validate", RuleSet.StarterYaml, HttpStatusCode.OK);
        Assert.Equal("""{"valid":true}""", answer.GetRawText());
        Assert.Empty(await host.GetAllAsync("/v1/rules"));
    }

    [Theory]
    [InlineData("PUT", "/v1/rules")]
    [InlineData("POST", "/v1/rules/validate")]
    public async Task Rules_BodyThatCantBeRules_AnswerSaysWhy(string method, string path)
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (bytes, type, status) in ((byte[], string?, HttpStatusCode)[])
        [
            ("rules: []"u8.ToArray(), "application/json", HttpStatusCode.UnsupportedMediaType),
            ("rules: []"u8.ToArray(), null, HttpStatusCode.UnsupportedMediaType),
            ([(byte)'#', 0xC3, 0x28], "application/yaml", HttpStatusCode.UnprocessableEntity),
            ([(byte)'#', 0], "application/yaml; charset=utf-8", HttpStatusCode.UnprocessableEntity),
            ([], "application/yaml", HttpStatusCode.UnprocessableEntity),
            (Encoding.UTF8.GetBytes(new string('#', (1 << 20) + 1)), "application/yaml", HttpStatusCode.RequestEntityTooLarge),
        ])
        {
            using var content = new ByteArrayContent(bytes);
            content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
            using var response = await host.Client.SendAsync(new(new(method), path) { Content = content });
            Assert.Equal((status, "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        }

        Assert.Empty(await host.GetAllAsync("/v1/rules"));
    }

    [Fact]
    public async Task Rules_BadParameter_400NamesIt()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (method, path, name) in ((string, string, string)[])[("GET", "/v1/rules?limit=101", "limit"), ("GET", "/v1/rules?cursor=x", "cursor"), ("PUT", "/v1/rules?notes=x", "notes"), ("POST", "/v1/rules/validate?note=x", "note")])
        {
            var problem = await SendAsync(host, new(method), path, method == "GET" ? null : Rules(1, "amount > 1"), HttpStatusCode.BadRequest);
            Assert.Equal([name], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name));
        }

        Assert.Empty(await host.GetAllAsync("/v1/rules"));
    }

    [Fact]
    public async Task GetRules_Activations_SinceWhichOffsetEachPartitionUsesIt()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillAsync(host);
        var activations = (await host.GetAllAsync("/v1/rules"))[0].GetProperty("activations").EnumerateArray();
        Assert.Equal(["payments log 0 7", "payments log 1 9"], activations.Select(a => string.Join(' ', a.EnumerateObject().Select(p => p.Value.ToString()))));
    }

    internal static async Task FillAsync(QueryHost host)
    {
        var version = (await PutAsync(host, Rules(1, "amount > 10"))).GetProperty("version").GetInt64();
        await MetricRows.ExecuteAsync(host, "INSERT INTO rule_activations (stream, log_id, partition_id, from_offset, version) VALUES ('payments', 'log', 1, 9, $1), ('payments', 'log', 0, 7, $1)", version);
    }

    internal static Task<JsonElement> PutAsync(QueryHost host, string yaml, string query = "") => SendAsync(host, HttpMethod.Put, "/v1/rules" + query, yaml, HttpStatusCode.OK);

    internal static string Rules(int version, string condition) => $"rules:\n  - name: big\n    version: {version}\n    metric_type: count\n    condition: {condition}\n";

    private static ByteArrayContent Yaml(string yaml) => new(Encoding.UTF8.GetBytes(yaml)) { Headers = { ContentType = new("application/yaml") } };

    private static async Task<JsonElement> SendAsync(QueryHost host, HttpMethod method, string path, string? yaml, HttpStatusCode expected)
    {
        using var response = await host.Client.SendAsync(new(method, path) { Content = yaml is null ? null : Yaml(yaml) });
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{method} {path}: {(int)response.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    private static Task<HttpResponseMessage> AsYamlAsync(QueryHost host, string accept)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/v1/rules");
        request.Headers.TryAddWithoutValidation("Accept", accept);
        return host.Client.SendAsync(request);
    }

    private sealed class OneLogger(ILogger logger) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => logger;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
