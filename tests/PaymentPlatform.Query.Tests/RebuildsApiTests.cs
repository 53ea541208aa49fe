using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class RebuildsApiTests(PlatformFixture platform)
{
    private const string Range = """{"from": "2026-01-31T00:30:00Z", "to": "2026-02-01T02:00:00+02:00"}""";

    [Fact]
    public async Task Post_Range_WaitsAndIsToBeFoundAtItsLocation()
    {
        await using var host = await QueryHost.StartAsync(platform);
        using var response = await PostAsync(host, Range);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(("waiting", "anonymous", "2026-01-31T00:30:00.000000Z", "2026-02-01T00:00:00.000000Z"), (Text(answer, "state"), Text(answer, "requested_by"), Text(answer, "from"), Text(answer, "to")));
        Assert.Equal($"/v1/metrics/rebuilds/{answer.GetProperty("id").GetInt64()}", response.Headers.Location!.OriginalString);
        Assert.Equal(answer.GetRawText(), (await host.GetAsync(response.Headers.Location.OriginalString)).GetRawText());
    }

    [Fact]
    public async Task Post_AnswerOfTheInsertLost_AsksForOneRebuild()
    {
        using var proxy = new CuttingProxy(new(await platform.CreateDatabaseAsync()), "INSERT INTO metric_rebuilds", n => n == 1, forward: true);
        await using var host = await QueryHost.StartAsync(platform, database: proxy.ConnectionString);

        using var response = await PostAsync(host, Range);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal(1, proxy.Cuts);
        var rebuild = Assert.Single(await host.GetAllAsync("/v1/metrics/rebuilds"));
        Assert.Equal(rebuild.GetRawText(), JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetRawText());
    }

    [Fact]
    public async Task Post_LongestRange_IsTaken()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:MaxRebuildRange"] = "31.00:00:00" });
        using var response = await PostAsync(host, """{"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}""");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task Post_ToInTheFuture_IsNow()
    {
        var now = new DateTime(2026, 1, 31, 10, 0, 0, DateTimeKind.Utc);
        await using var host = await QueryHost.StartAsync(platform, services: s => s.AddSingleton<TimeProvider>(new FakeTimeProvider(now)));
        using var response = await PostAsync(host, """{"from": "2026-01-31", "to": "2026-02-01"}""");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(("2026-01-31T00:00:00.000000Z", "2026-01-31T10:00:00.000000Z"), (Text(answer, "from"), Text(answer, "to")));
    }

    [Theory]
    [InlineData("""{"from": "2026-01-31T00:00:00Z"}""", "to")]
    [InlineData("{}", "from to")]
    [InlineData("""{"from": "yesterday", "to": 5}""", "from to")]
    [InlineData("""{"from": null, "to": "2026-02-01"}""", "from")]
    [InlineData("""{"from": "2026-02-01", "to": "2026-02-01"}""", "from")]
    [InlineData("""{"from": "2026-02-02", "to": "2026-02-01"}""", "from")]
    [InlineData("""{"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00.000001Z"}""", "to")]
    [InlineData("""{"from": "0001-01-01", "to": "2026-02-01"}""", "from")]
    [InlineData("""{"from": "2026-01-01", "to": "9998-01-01"}""", "to")]
    [InlineData("""{"from": "9997-01-31", "to": "9998-01-01"}""", "from")]
    [InlineData("""{"from": "2026-01-31", "to": "2026-02-01", "To": "2026-02-03"}""", "To")]
    [InlineData("""{"from": "2026-01-31", "to": "2026-02-01", "to": "2026-02-03"}""", "to")]
    [InlineData("[]", null)]
    [InlineData("null", null)]
    [InlineData("", null)]
    [InlineData("""{"from": """, null)]
    public async Task Post_BadBody_400NamesWhatIsWrong(string body, string? names)
    {
        await using var host = await QueryHost.StartAsync(platform);
        using var response = await PostAsync(host, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, text);
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.NotEmpty(Text(problem, "detail")!);
        Assert.Equal(names, problem.TryGetProperty("errors", out var errors) ? string.Join(' ', errors.EnumerateObject().Select(e => e.Name).Order(StringComparer.Ordinal)) : null);
        Assert.Empty(await host.GetAllAsync("/v1/metrics/rebuilds"));
    }

    [Fact]
    public async Task Post_NotJsonOrTooMuch_Refused()
    {
        await using var host = await QueryHost.StartAsync(platform);
        using var text = await PostAsync(host, Range, "text/plain");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, text.StatusCode);
        using var large = await PostAsync(host, new string(' ', 5000) + Range);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        using var query = await PostAsync(host, Range, path: "/v1/metrics/rebuild?from=2026-01-01");
        Assert.Equal(HttpStatusCode.BadRequest, query.StatusCode);
        Assert.Empty(await host.GetAllAsync("/v1/metrics/rebuilds"));
    }

    [Fact]
    public async Task GetRebuilds_AllPages_LatestFirstAndEachOnce()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var states = await FillAsync(host);
        foreach (var limit in (int[])[1, 2, 100])
            Assert.Equal(states.AsEnumerable().Reverse(), (await host.GetAllAsync($"/v1/metrics/rebuilds?limit={limit}")).Select(i => (i.GetProperty("id").GetInt64(), Text(i, "state")!)));
        var failed = await host.GetAsync($"/v1/metrics/rebuilds/{states.Single(s => s.State == "failed").Id}");
        Assert.Equal(("files are gone", 2, 10, 100, 7), (Text(failed, "error"), failed.GetProperty("attempts").GetInt32(), failed.GetProperty("events_read").GetInt32(), failed.GetProperty("events_total").GetInt32(), failed.GetProperty("rule_failures").GetInt32()));
    }

    [Fact]
    public async Task Rebuild_UnknownId_404()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var id in (string[])["1", "abc", "-1", "99999999999999999999"])
        {
            await host.GetAsync($"/v1/metrics/rebuilds/{id}", HttpStatusCode.NotFound);
            using var response = await host.Client.DeleteAsync($"/v1/metrics/rebuilds/{id}");
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    [Fact]
    public async Task Delete_ByState_StopsWhatHasNotEndedAndLeavesTheRest()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (id, state) in await FillAsync(host))
        {
            var before = await host.GetAsync($"/v1/metrics/rebuilds/{id}");
            using var response = await host.Client.DeleteAsync($"/v1/metrics/rebuilds/{id}");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
            Assert.Equal(answer.GetRawText(), (await host.GetAsync($"/v1/metrics/rebuilds/{id}")).GetRawText());
            if (state is "waiting" or "running")
            {
                Assert.Equal(("cancelled", null), (Text(answer, "state"), Text(answer, "phase")));
                Assert.NotNull(Text(answer, "ended_at"));
            }
            else
            {
                Assert.Equal(before.GetRawText(), answer.GetRawText());
            }
        }
    }

    internal static async Task<List<(long Id, string State)>> FillAsync(QueryHost host)
    {
        string[] states = ["done", "failed", "cancelled", "running", "waiting"];
        foreach (var state in states)
        {
            await MetricRows.ExecuteAsync(
                host,
                """
                INSERT INTO metric_rebuilds (range_from, range_to, state, phase, attempts, events_read, events_total, requested_by, started_at, ended_at, error, rule_failures)
                VALUES ('2026-01-01Z', '2026-01-02Z', $1, CASE WHEN $1 = 'running' THEN 'computing' END, 2, 10, 100, 'key:x', now(), CASE WHEN $1 NOT IN ('waiting', 'running') THEN now() END, CASE WHEN $1 = 'failed' THEN 'files are gone' END, 7)
                """,
                state);
        }

        return [.. states.Select((state, i) => ((long)i + 1, state))];
    }

    private static string? Text(JsonElement item, string name) => item.GetProperty(name).GetString();

    private static Task<HttpResponseMessage> PostAsync(QueryHost host, string body, string type = "application/json", string path = "/v1/metrics/rebuild") =>
        host.Client.PostAsync(path, new StringContent(body, Encoding.UTF8, type));
}
