using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Query.Replay;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.ReplayHarness;

namespace PaymentPlatform.Query.Tests;

public sealed class ReplaysApiTests(PlatformFixture platform)
{
    [Fact]
    public async Task Post_Range_WaitsAndIsToBeFoundAtItsLocation()
    {
        await using var host = await StartIdleAsync();

        var answer = await AskAsync(host, "\"filter\": {\"min_amount\": 10.5, \"is_valid\": true}, \"rate\": 2.5");

        Assert.Equal(("waiting", "anonymous", Target), (Text(answer, "state"), Text(answer, "requested_by"), Text(answer, "target")));
        Assert.Equal(("2025-12-01T00:00:00.000000Z", "2026-12-01T00:00:00.000000Z"), (Text(answer, "from"), Text(answer, "to")));
        Assert.Equal((2.5, false, 0), (answer.GetProperty("rate").GetDouble(), answer.GetProperty("allow_live").GetBoolean(), Number(answer, "attempts")));
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse("""{"min_amount": 10.5, "is_valid": true}"""), answer.GetProperty("filter")));
        Assert.Equal(answer.GetRawText(), (await host.GetAsync($"/v1/replays/{Text(answer, "id")}")).GetRawText());
    }

    [Theory]
    [InlineData("{}", "from target to")]
    [InlineData("""{"from": "2026-02-01", "to": "2026-02-01", "target": "x"}""", "from")]
    [InlineData("""{"from": "yesterday", "to": 5, "target": "x"}""", "from to")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "payments"}""", "allow_live")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "payments", "allow_live": false}""", "allow_live")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "payments", "allow_live": "yes"}""", "allow_live")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "a b"}""", "target")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": ""}""", "target")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": null}""", "target")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "rate": 0}""", "rate")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "rate": "fast"}""", "rate")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "rate": 1e7}""", "rate")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "on_oversized": "cut"}""", "on_oversized")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "speed": 1}""", "speed")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "target": "y"}""", "target")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "filter": []}""", "filter")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "filter": {"merchant": "m"}}""", "filter.merchant")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "filter": {"merchant_id": "m", "merchant_id": "n"}}""", "filter.merchant_id")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "filter": {"merchant_id": ["m"], "is_valid": "maybe", "min_amount": "much", "origin": "elsewhere"}}""", "filter.is_valid filter.merchant_id filter.min_amount filter.origin")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "filter": {"merchant_id": "\ud800", "customer_id": "\u0000"}}""", "filter.merchant_id")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "filter": {"merchant_id": 5, "currency": true, "min_amount": false, "is_valid": 1, "mood": 3}}""", "filter.currency filter.is_valid filter.merchant_id filter.min_amount filter.mood")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "filter": {"Merchant_Id": "m"}}""", "filter.Merchant_Id")]
    [InlineData("""{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "filter": {"merchant_id": "m", "MERCHANT_ID": "n", "merchant_Id": "o"}}""", "filter.MERCHANT_ID filter.merchant_Id")]
    [InlineData("[]", null)]
    [InlineData("", null)]
    public async Task Post_BadBody_400NamesWhatIsWrong(string body, string? names)
    {
        await using var host = await StartIdleAsync();
        using var response = await host.Client.PostAsync("/v1/replays", new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, text);
        Assert.DoesNotContain("parameter", text);
        var problem = JsonElement.Parse(text);
        Assert.Equal(names, problem.TryGetProperty("errors", out var errors) ? string.Join(' ', errors.EnumerateObject().Select(e => e.Name).Order(StringComparer.Ordinal)) : null);
        Assert.Empty(await host.GetAllAsync("/v1/replays"));
    }

    [Fact]
    public async Task Post_FilterOfOtherKindsAndNames_400SaysWhatIsAllowed()
    {
        await using var host = await StartIdleAsync();
        using var response = await host.Client.PostAsync("/v1/replays", new StringContent(
            """{"from": "2026-01-01", "to": "2026-02-01", "target": "x", "filter": {"merchant_id": 5, "is_valid": 1, "max_amount": true, "Currency": "EUR"}}""", Encoding.UTF8, "application/json"));
        var errors = JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetProperty("errors").EnumerateObject().ToDictionary(e => e.Name, e => e.Value[0].GetString());
        Assert.Equal("Expected a text.", errors["filter.merchant_id"]);
        Assert.Equal("Expected true or false.", errors["filter.is_valid"]);
        Assert.Equal("Expected a number with at most 15 digits before and 4 after the point.", errors["filter.max_amount"]);
        Assert.Equal(
            "There is no such member here. Known: transaction_id, merchant_id, customer_id, payment_method, payment_status, currency, min_amount, max_amount, is_valid, origin.", errors["filter.Currency"]);
    }

    /// <summary>The claims of a replay hash the position behind which a chunk begins: a replay that began in an earlier version goes on in this one.</summary>
    [Fact]
    public void Position_NothingSkipped_IsWrittenAsItWasBeforeThereCouldBe()
    {
        const string text = """{"next_chunk":3,"after":{"t":5,"l":"log","p":1,"o":7,"g":0},"events_done":600}""";
        Assert.Equal(text, Encoding.UTF8.GetString(new ReplayPosition(3, new(5, "log", 1, 7, 0), 600).ToBytes()));
        var skipped = new ReplayPosition(3, new(5, "log", 1, 7, 0), 600, 1, [new("m-1", "log", 1, 6, 2_000_000)]);
        Assert.Equal(skipped.ToBytes(), ReplayPosition.Parse(skipped.ToBytes()).ToBytes());
    }

    [Fact]
    public async Task List_Pages_LatestFirst()
    {
        await using var host = await StartIdleAsync();
        var ids = new List<string?>();
        for (var i = 0; i < 5; i++)
            ids.Insert(0, Text(await AskAsync(host), "id"));

        Assert.Equal(ids, (await host.GetAllAsync("/v1/replays?limit=2")).Select(r => Text(r, "id")));
        await host.GetAsync("/v1/replays?cursor=x", HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Get_Running_TellsItsEnd()
    {
        var clock = new FakeTimeProvider(new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero));
        await using var host = await StartIdleAsync(clock);
        var id = Text(await AskAsync(host), "id");
        await host.Archive.ExecuteAsync("UPDATE replays SET state = 'running', lease_until = 'infinity', events_done = 1000, events_total = 4000, events_per_second = 50, renewed_at = '2026-02-28T23:59:59Z'");

        var running = await host.GetAsync($"/v1/replays/{id}");

        Assert.Equal(("2026-03-01T00:01:00.000000Z", "2026-02-28T23:59:59.000000Z"), (Text(running, "estimated_end_at"), Text(running, "renewed_at")));
        // Stopped, but its process does not know yet; then that is gone, too.
        using (var response = await host.Client.DeleteAsync($"/v1/replays/{id}"))
            Assert.Equal("stopping", Text(JsonElement.Parse(await response.Content.ReadAsStringAsync()), "state"));
        await host.Archive.ExecuteAsync("UPDATE replays SET lease_until = now()");
        var stopped = await host.GetAsync($"/v1/replays/{id}");
        Assert.Equal(("stopped", null), (Text(stopped, "state"), Text(stopped, "renewed_at")));
    }

    [Theory]
    [InlineData("waiting", "stopped", HttpStatusCode.Accepted, "waiting")]
    [InlineData("running", "stopping", HttpStatusCode.Accepted, "running")]
    [InlineData("failed", "stopped", HttpStatusCode.Accepted, "waiting")]
    [InlineData("done", "done", HttpStatusCode.Conflict, "done")]
    [InlineData("stopped", "stopped", HttpStatusCode.Conflict, "stopped")]
    public async Task DeleteAndResume_States(string state, string deleted, HttpStatusCode resumeStatus, string resumed)
    {
        await using var host = await StartIdleAsync();
        foreach (var isDelete in (bool[])[true, false])
        {
            var id = Text(await AskAsync(host), "id");
            await host.Archive.ExecuteAsync("UPDATE replays SET state = $1, events_done = 7, lease_until = CASE WHEN $1 = 'running' THEN 'infinity'::timestamptz END, error = 'x' WHERE id = $2", new() { Value = state }, new() { Value = Guid.Parse(id!) });

            using var response = isDelete ? await host.Client.DeleteAsync($"/v1/replays/{id}") : await host.Client.PostAsync($"/v1/replays/{id}/resume", null);

            Assert.Equal(isDelete ? HttpStatusCode.OK : resumeStatus, response.StatusCode);
            var item = await host.GetAsync($"/v1/replays/{id}");
            Assert.Equal((isDelete ? deleted : resumed, 7L), (Text(item, "state"), Number(item, "events_done")));
        }
    }

    [Theory]
    [InlineData("x")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    public async Task Any_UnknownId_404(string id)
    {
        await using var host = await StartIdleAsync();

        await host.GetAsync($"/v1/replays/{id}", HttpStatusCode.NotFound);
        using var deleted = await host.Client.DeleteAsync($"/v1/replays/{id}");
        using var resumed = await host.Client.PostAsync($"/v1/replays/{id}/resume", null);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (deleted.StatusCode, resumed.StatusCode));
    }

    /// <summary>Nobody works on replays.</summary>
    private Task<QueryHost> StartIdleAsync(FakeTimeProvider? clock = null) => QueryHost.StartAsync(platform, services: services =>
    {
        services.Remove(services.Single(s => s.ImplementationType == typeof(ReplayService)));
        if (clock is not null)
            services.AddSingleton<TimeProvider>(clock);
    });
}
