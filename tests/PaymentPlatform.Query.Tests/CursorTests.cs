using System.Net;
using System.Text.Json;
using PaymentPlatform.Query.Tests.FailedItems;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

/// <summary>A cursor goes on with the question that it was given for, and with no other.</summary>
public sealed class CursorTests(PlatformFixture platform)
{
    [Fact]
    public async Task Cursor_OtherParametersOrOtherList_400SaysSo()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillAsync(host);
        var cursors = new List<(string Path, string Cursor)>();
        foreach (var (path, others) in ((string, string[])[])
        [
            ("/v1/events?from=2026-01-01", ["/v1/events?from=2026-01-02", "/v1/events", "/v1/events?from=2026-01-01&currency=EUR", "/v1/events?from=2026-01-01&is_valid=true"]),
            ("/v1/archive/files?from=2026-01-01", ["/v1/archive/files?from=2026-01-01&to=2027-01-01", "/v1/archive/files"]),
            ("/v1/failed-items?status=pending", ["/v1/failed-items?status=resolved", "/v1/failed-items", "/v1/failed-items?status=pending&error_type=json"]),
            ("/v1/metrics/payments?from=2026-03-01&to=2026-03-02", ["/v1/metrics/payments?from=2026-03-01&to=2026-03-02&granularity=1h", "/v1/metrics/payments?from=2026-03-01&to=2026-03-03"]),
            ("/v1/metrics/histograms?from=2026-03-01&to=2026-03-02", ["/v1/metrics/histograms?from=2026-03-01&to=2026-03-02&metric_type=ingest_latency"]),
            ("/v1/metrics/dynamic?from=2026-03-01&to=2026-03-02", ["/v1/metrics/dynamic?from=2026-03-01&to=2026-03-02&kind=window"]),
            ("/v1/archive/holds", []),
            ("/v1/metrics/rebuilds", []),
            ("/v1/replays", []),
        ])
        {
            var cursor = (await host.GetAsync(With(path, "limit=1"))).GetProperty("next_cursor").GetString()!;
            Assert.NotNull(cursor);
            // The size of the pages may change, and the order and the case of the parameters' names.
            await host.GetAsync(With(path, $"limit=2&cursor={cursor}"));
            await host.GetAsync($"{path.Split('?')[0]}?cursor={cursor}&{string.Join('&', path.Split('?').Skip(1).SelectMany(q => q.Split('&')).Reverse()).Replace("from=", "FROM=")}".TrimEnd('&'));
            foreach (var other in others)
                await RefusedAsync(other, cursor);
            cursors.Add((path, cursor));
        }

        // All of these are of lists whose cursors look alike.
        foreach (var path in (string[])["/v1/failed-items?status=pending", "/v1/archive/holds", "/v1/metrics/rebuilds"])
        {
            foreach (var (_, cursor) in cursors.Where(c => c.Path != path && (c.Path is "/v1/failed-items?status=pending" or "/v1/archive/holds" or "/v1/metrics/rebuilds")))
                await RefusedAsync(path, cursor);
        }

        async Task RefusedAsync(string path, string cursor)
        {
            var problem = await host.GetAsync(With(path, $"cursor={cursor}"), HttpStatusCode.BadRequest);
            Assert.Equal("It belongs to another question. Give the same parameters as for the page before; only 'limit' may differ.", Assert.Single(problem.GetProperty("errors").EnumerateObject(), e => e.Name == "cursor").Value[0].GetString());
        }
    }

    /// <summary>As they were given before they were bound to a question.</summary>
    [Fact]
    public async Task Cursor_OfAnEarlierVersion_IsRead()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillAsync(host);
        foreach (var path in (string[])["/v1/events", "/v1/archive/files", "/v1/failed-items", "/v1/archive/holds", "/v1/replays", "/v1/metrics/dynamic?from=2026-03-01&to=2026-03-02"])
        {
            var bound = (await host.GetAsync(With(path, "limit=1"))).GetProperty("next_cursor").GetString()!;
            Assert.Equal((await host.GetAsync(With(path, $"limit=3&cursor={bound}"))).GetProperty("items").ToString(), (await host.GetAsync(With(path, $"limit=3&cursor={bound.Split('.')[0]}"))).GetProperty("items").ToString());
        }
    }

    [Fact]
    public async Task Cursor_OfAChangeByFilter_IsOfThatFilter()
    {
        await using var host = await QueryHost.StartAsync(platform);
        for (var i = 0; i < 4; i++)
            await DeadLetters.AddAsync(host, DeadLetters.BadEvent(), i % 2 == 0 ? "currency" : "status");
        var cursor = (await DeadLetters.PostOkAsync(host, "resubmit", """{"filter": {"error_type": "currency"}, "limit": 1}""")).Text("next_cursor")!;
        foreach (var (verb, body) in ((string, string)[])
        [
            ("resubmit", $$"""{"filter": {"error_type": "status"}, "cursor": "{{cursor}}"}"""),
            ("resubmit", $$"""{"all": true, "cursor": "{{cursor}}"}"""),
            ("resubmit", $$"""{"filter": {"error_type": "currency", "from": "2026-01-01"}, "cursor": "{{cursor}}"}"""),
            ("discard", $$"""{"filter": {"error_type": "currency"}, "cursor": "{{cursor}}"}"""),
        ])
        {
            var (status, problem) = await DeadLetters.PostAsync(host, verb, body);
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Contains("another question", problem.Text("detail"), StringComparison.Ordinal);
        }

        Assert.Equal(1, (await DeadLetters.PostOkAsync(host, "resubmit", $$"""{"limit": 5, "cursor": "{{cursor}}", "filter": {"error_type": "currency"}, "notes": "the rest"}""")).GetProperty("refused").GetInt32());
        Assert.Equal(1, (await DeadLetters.PostOkAsync(host, "resubmit", $$"""{"cursor": "{{cursor.Split('.')[0]}}", "filter": {"error_type": "currency"} }""")).GetProperty("refused").GetInt32());
    }

    private static string With(string path, string more) => $"{path}{(path.Contains('?') ? '&' : '?')}{more}";

    private static async Task FillAsync(QueryHost host)
    {
        for (var i = 0; i < 4; i++)
            await host.Archive.AddFileAsync(EventsApiTests.Event(i, "1"));
        await ListApiTests.FillFailedItemsAsync(host, 10);
        await DynamicMetricsApiTests.FillAsync(host);
        await MetricRows.FillAsync(host, MetricRows.Events(new(1), new(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc), 5, 20));
        await host.Archive.ExecuteAsync("INSERT INTO legal_holds (transaction_id, reason, placed_by) SELECT 'tx-' || n, 'r', 'me' FROM generate_series(1, 4) n");
        await host.Archive.ExecuteAsync("INSERT INTO metric_rebuilds (range_from, range_to, requested_by) SELECT '2026-01-01', '2026-01-02', 'me' FROM generate_series(1, 4) n");
        for (var i = 0; i < 3; i++)
            await ReplayHarness.AskAsync(host);
    }
}
