using System.Net;
using System.Text.Json;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.FailedItems.DeadLetters;

namespace PaymentPlatform.Query.Tests.FailedItems;

public sealed class FailedItemActionsTests(PlatformFixture platform)
{
    [Theory]
    [InlineData("resolve", "resolved", "discard")]
    [InlineData("discard", "discarded", "resolve")]
    public async Task Close_OnceAndAgain_SameAnswerAndNoOtherEnd(string verb, string status, string other)
    {
        await using var host = await QueryHost.StartAsync(platform);
        var (id, plain) = (await AddAsync(host, Event()), await AddAsync(host, Event()));
        var first = await PostOkAsync(host, $"{id}/{verb}", """{"notes": "ticket 1"}""");
        Assert.Equal((status, "anonymous", "ticket 1", null), (first.Text("status"), first.Text("resolved_by"), first.Text("notes"), first.Text("resubmitted_as")));
        Assert.NotNull(first.Text("resolved_at"));
        Assert.Equal(first.GetRawText(), (await PostOkAsync(host, $"{id}/{verb}", """{"notes": "ticket 2"}""")).GetRawText());
        foreach (var path in (string[])[other, "resubmit"])
            Assert.Equal(HttpStatusCode.Conflict, (await PostAsync(host, $"{id}/{path}")).Status);
        Assert.Equal([status], await ActionsAsync(host, id));
        Assert.Null((await PostOkAsync(host, $"{plain}/{verb}")).Text("notes"));
        Assert.Empty(await StreamContents.ReadAsync(host));
    }

    [Fact]
    public async Task Actions_WithAKey_KeepWhoDidThem()
    {
        const string Key = "a-key-that-only-this-test-knows";
        await using var host = await QueryHost.StartAsync(platform, new() { ["Access:OperateKey"] = Key });
        host.Client.DefaultRequestHeaders.Add("X-Api-Key", Key);
        var (resubmitted, resolved) = (await AddAsync(host, Event()), await AddAsync(host, Event()));
        Assert.Equal("key:operate", (await PostOkAsync(host, $"{resubmitted}/resubmit")).Text("resolved_by"));
        Assert.Equal("key:operate", (await PostOkAsync(host, $"{resolved}/resolve")).Text("resolved_by"));
        foreach (var id in (long[])[resubmitted, resolved])
            Assert.All((await host.GetAsync($"/v1/failed-items/{id}")).GetProperty("history").EnumerateArray(), c => Assert.Equal("key:operate", c.Text("by")));
    }

    [Theory]
    [InlineData("""{"note": "x"}""", "note")]
    [InlineData("""{"notes": 1}""", "notes")]
    [InlineData("""{"notes": ""}""", "notes")]
    [InlineData("""{"notes": "a", "notes": "b"}""", "notes")]
    [InlineData("""{"notes": "\u0000"}""", "notes")]
    [InlineData("""{"notes": "\ud800"}""", "notes")]
    [InlineData("[]", null)]
    [InlineData("{", null)]
    public async Task Close_BadBody_400NamesWhatIsWrong(string body, string? name)
    {
        await using var host = await QueryHost.StartAsync(platform);
        var id = await AddAsync(host, Event());
        var (status, problem) = await PostAsync(host, $"{id}/resolve", body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(name, problem.TryGetProperty("errors", out var errors) ? errors.EnumerateObject().Single().Name : null);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await PostAsync(host, $"{id}/resolve", """{"notes": "x"}""", "text/plain")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync(host, "0/resolve")).Status);
        Assert.Empty(await ActionsAsync(host, id));
    }

    [Fact]
    public async Task Bulk_ResubmitInSteps_EachOnceAndTheInvalidStayPending()
    {
        await using var host = await QueryHost.StartAsync(platform);
        for (var i = 0; i < 25; i++)
            await AddAsync(host, i % 5 == 0 ? BadEvent($"tx-{i}") : Event($"tx-{i}"), i == 24 ? "other" : "currency", minute: i);
        var (done, refused, steps) = (0, 0, 0);
        for (string? cursor = null; ;)
        {
            var answer = await PostOkAsync(host, "resubmit", JsonSerializer.Serialize(new { filter = new { error_type = "currency" }, notes = "all of them", limit = 10, cursor }));
            steps++;
            done += answer.GetProperty("done").GetInt32();
            refused += answer.GetProperty("refused").GetInt32();
            Assert.All(answer.GetProperty("refusals").EnumerateArray(), r => Assert.Equal("currency", r.GetProperty("errors")[0].Text("field")));
            Assert.Equal(Math.Max(0, 24 - (10 * steps)), answer.GetProperty("remaining").GetInt32());
            cursor = answer.Text("next_cursor");
            if (cursor is null)
                break;
        }

        Assert.Equal((19, 5, 3), (done, refused, steps));
        Assert.Equal(new Dictionary<string, int> { ["pending"] = 6, ["resubmitted"] = 19 }.OrderBy(c => c.Key), (await CountsAsync(host)).OrderBy(c => c.Key));
        Assert.Equal(Enumerable.Range(0, 24).Where(i => i % 5 != 0).Select(i => Event($"tx-{i}")).Order(), (await StreamContents.ReadAsync(host)).Select(e => e.Body).Order());
        // Said again it only tries what is still pending.
        var again = await PostOkAsync(host, "resubmit", """{"all": true}""");
        Assert.Equal((1, 5), (again.GetProperty("done").GetInt32(), again.GetProperty("refused").GetInt32()));
        Assert.Equal(20, (await StreamContents.ReadAsync(host)).Count);
    }

    [Fact]
    public async Task Bulk_Steps_CountOnce()
    {
        await using var host = await QueryHost.StartAsync(platform);
        for (var i = 0; i < 6; i++)
            await AddAsync(host, BadEvent(), minute: i);
        var first = await PostOkAsync(host, "discard", """{"all": true, "limit": 2}""");
        Assert.Equal(4, first.GetProperty("remaining").GetInt32());
        // Who counts again finds more.
        for (var i = 6; i < 9; i++)
            await AddAsync(host, BadEvent(), minute: i);
        var second = await PostOkAsync(host, "discard", $$"""{"all": true, "limit": 2, "cursor": "{{first.Text("next_cursor")}}"}""");
        Assert.Equal(2, second.GetProperty("remaining").GetInt32());
        // A cursor without a count, as they were before.
        var third = await PostOkAsync(host, "discard", """{"all": true, "limit": 2, "cursor": "4"}""");
        Assert.Equal(3, third.GetProperty("remaining").GetInt32());
        var rest = await PostOkAsync(host, "discard", $$"""{"all": true, "limit": 3, "cursor": "{{third.Text("next_cursor")}}"}""");
        Assert.Equal((3, 0, null), (rest.GetProperty("done").GetInt32(), rest.GetProperty("remaining").GetInt32(), rest.Text("next_cursor")));
    }

    [Fact]
    public async Task Bulk_CloseByTime_OnlyWhatFits()
    {
        await using var host = await QueryHost.StartAsync(platform);
        for (var i = 0; i < 10; i++)
            await AddAsync(host, BadEvent(), minute: i);
        var answer = await PostOkAsync(host, "discard", """{"filter": {"status": "pending", "from": "2026-01-01T00:02:00Z", "to": "2026-01-01T00:07:00Z"}, "notes": "test traffic"}""");
        Assert.Equal((5, 0, 0), (answer.GetProperty("done").GetInt32(), answer.GetProperty("refused").GetInt32(), answer.GetProperty("remaining").GetInt32()));
        var discarded = await host.GetAllAsync("/v1/failed-items?status=discarded");
        Assert.Equal([6, 5, 4, 3, 2], discarded.Select(i => i.GetProperty("stream_offset").GetInt32()));
        Assert.All(discarded, i => Assert.Equal(("test traffic", "anonymous"), (i.Text("notes"), i.Text("resolved_by"))));
        Assert.Equal(["discarded"], await ActionsAsync(host, discarded[0].GetProperty("id").GetInt64()));
        Assert.Equal(5, (await PostOkAsync(host, "resolve", """{"all": true}""")).GetProperty("done").GetInt32());
        Assert.Equal(0, (await PostOkAsync(host, "discard", """{"all": true}""")).GetProperty("done").GetInt32());
    }

    private static readonly string[] ErrorTypes = ["currency", "amount_range", "status", "internal"];

    [Theory]
    [InlineData("{}", "filter")]
    [InlineData("""{"filter": {}}""", "filter")]
    [InlineData("""{"filter": {"status": "pending"}}""", "filter")]
    [InlineData("""{"filter": {"error_type": null}, "all": false}""", "filter")]
    [InlineData("""{"filter": {"error_type": "currency"}, "all": true}""", "all")]
    [InlineData("""{"filter": {"error_type": "nope"}}""", "filter.error_type")]
    [InlineData("""{"filter": {"status": "resolved"}, "all": true}""", "filter.status")]
    [InlineData("""{"filter": {"errortype": "x"}, "all": true}""", "filter.errortype")]
    [InlineData("""{"filter": [], "all": true}""", "filter")]
    [InlineData("""{"filter": {"from": "2026-02-02", "to": "2026-02-01"}}""", "filter.from")]
    [InlineData("""{"filter": {"from": "yesterday"}, "all": true}""", "filter.from")]
    [InlineData("""{"all": true, "limit": 1001}""", "limit")]
    [InlineData("""{"all": true, "cursor": "x"}""", "cursor")]
    [InlineData("""{"all": true, "cursor": "4-"}""", "cursor")]
    [InlineData("""{"all": true, "cursor": "-4"}""", "cursor")]
    [InlineData("""{"all": "yes", "filter": {"error_type": "currency"}}""", "all")]
    [InlineData("""{"all": true, "note": "x"}""", "note")]
    public async Task Bulk_BadBody_400NamesWhatIsWrong(string body, string name)
    {
        await using var host = await QueryHost.StartAsync(platform);
        var id = await AddAsync(host, Event());
        foreach (var verb in (string[])["resubmit", "resolve", "discard"])
        {
            var (status, problem) = await PostAsync(host, verb, body);
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Equal([name], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name));
        }

        Assert.Empty(await ActionsAsync(host, id));
    }

    /// <summary>Whatever is asked, also at once, by two processes, with cuts at the append: in = pending + resubmitted + resolved + discarded, nothing leaves its end, and as many events go out as items are resubmitted.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Actions_Random_ConserveItems(int seed)
    {
        const int Items = 40;
        var random = new Random(seed);
        var database = await platform.CreateDatabaseAsync();
        await using var host = await QueryHost.StartAsync(platform, database: database, services: FaultyPublisher.Add);
        await using var other = await QueryHost.StartAsync(platform, database: database);
        var fault = FaultyPublisher.Of(host);
        for (var i = 0; i < Items; i++)
            await AddAsync(host, i % 2 == 0 ? Event($"tx-{i}") : BadEvent($"tx-{i}"), ErrorTypes[i % 4], minute: i);

        var ends = new Dictionary<long, string>();
        for (var round = 0; round < 40; round++)
        {
            (fault.Before, fault.After) = random.Next(4) switch
            {
                0 => (() => new InvalidOperationException("cut before"), null),
                1 => (null, () => new InvalidOperationException("cut after")),
                _ => ((Func<Exception>?)null, (Func<Exception>?)null),
            };
            var calls = Enumerable.Range(0, 4).Select(_ => (Host: random.Next(2) == 0 ? host : other, Call: RandomCall(random, Items))).ToList();
            await Task.WhenAll(calls.Select(c => PostAsync(c.Host, c.Call.Path, c.Call.Body)));
            foreach (var item in await other.GetAllAsync("/v1/failed-items?limit=1000"))
            {
                if (item.Text("status") is { } status and not "pending")
                    Assert.Equal(ends.TryAdd(item.GetProperty("id").GetInt64(), status) ? status : ends[item.GetProperty("id").GetInt64()], status);
            }

            Assert.Equal(Items, (await CountsAsync(other)).Values.Sum());
        }

        (fault.Before, fault.After) = (null, null);
        await AgeMarksAsync(host);
        await Eventually.TrueAsync(
            async () =>
            {
                await PostOkAsync(host, "resubmit", """{"all": true}""");
                return await FinishedAsync(host);
            },
            "all marks ended");
        var items = await host.GetAllAsync("/v1/failed-items?limit=1000");
        Assert.Equal(Items, items.Count);
        Assert.Equal(
            items.Where(i => i.Text("status") == "resubmitted").Select(i => i.Text("resubmitted_as")).Order(),
            (await StreamContents.ReadAsync(host)).Select(e => e.MessageId).Order());
        foreach (var item in items)
        {
            var history = await ActionsAsync(host, item.GetProperty("id").GetInt64());
            string[] expected = item.Text("status") switch
            {
                "pending" => [],
                "resubmitted" => ["resubmission_begun", "resubmitted"],
                var end => [end!],
            };
            Assert.Equal(expected, history);
        }

        Assert.True(items.Select(i => i.Text("status")).Distinct().Count() >= 3, "The actions test next to nothing.");
    }

    private static async Task<bool> FinishedAsync(QueryHost host)
    {
        await ((PaymentPlatform.Query.FailedItems.Resubmitter)host.App.Services.GetService(typeof(PaymentPlatform.Query.FailedItems.Resubmitter))!).FinishAsync(TimeSpan.Zero, CancellationToken.None);
        return (await host.GetAllAsync("/v1/failed-items?limit=1000")).TrueForAll(i => !i.GetProperty("sending").GetBoolean());
    }

    private static (string Path, string? Body) RandomCall(Random random, int items)
    {
        var id = random.Next(1, items + 1);
        return random.Next(12) switch
        {
            < 4 => ($"{id}/resubmit", random.Next(3) == 0 ? null : Event($"tx-{random.Next(2)}")),
            < 6 => ($"{id}/resolve", """{"notes": "r"}"""),
            < 8 => ($"{id}/discard", null),
            8 => ("resubmit", $$"""{"filter": {"error_type": "{{ErrorTypes[random.Next(4)]}}"}, "limit": {{random.Next(1, 4)}}}"""),
            9 => ("resolve", $$"""{"filter": {"error_type": "{{ErrorTypes[random.Next(4)]}}"}, "limit": 1}"""),
            10 => ("discard", $$"""{"filter": {"error_type": "{{ErrorTypes[random.Next(4)]}}"}, "limit": 1}"""),
            _ => ("resubmit", """{"all": true, "limit": 3}"""),
        };
    }
}
