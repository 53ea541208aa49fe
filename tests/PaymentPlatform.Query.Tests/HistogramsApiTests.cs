using System.Net;
using System.Text.Json;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class HistogramsApiTests(PlatformFixture platform)
{
    private static readonly DateTime Start = new(2026, 2, 28, 21, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task GetHistograms_AllPages_WithinOnePercentOfBruteForce()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var events = MetricRows.Events(new(4), Start, 30 * 60, 1_500);
        await MetricRows.FillAsync(host, events);
        foreach (var granularity in (string[])["5m", "15m", "1h", "1d", "all"])
        {
            foreach (var groupBy in (string[])["", "payment_method", "payment_status,payment_method", "currency"])
                await CompareAsync(host, events, granularity, groupBy);
        }
    }

    [Fact]
    public async Task GetHistograms_Latency_GroupsAcrossCurrencies()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await MetricRows.FillAsync(host, MetricRows.Events(new(5), Start, 60, 200));
        await host.Archive.ExecuteAsync("UPDATE aggregate_histograms SET metric_type = 'ingest_latency'");

        var item = Assert.Single(await host.GetAllAsync("/v1/metrics/histograms?metric_type=ingest_latency&granularity=all&from=2026-02-28&to=2026-03-02"));

        Assert.Equal(200, item.GetProperty("event_count").GetInt64());
        Assert.False(item.TryGetProperty("currency", out _));
        Assert.Equal(MetricRows.Currencies, (await host.GetAllAsync("/v1/metrics/histograms?metric_type=ingest_latency&granularity=1d&from=2026-02-28&to=2026-03-01&group_by=currency")).Select(i => i.GetProperty("currency").GetString()));
        Assert.Empty(await host.GetAllAsync("/v1/metrics/histograms?granularity=all&from=2026-02-28&to=2026-03-02"));
    }

    [Fact]
    public async Task GetHistograms_WindowsYearsApart_AllFound()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var events = new[] { new DateTime(2, 1, 1, 0, 0, 0, DateTimeKind.Utc), Start, new DateTime(2400, 1, 1, 0, 0, 0, DateTimeKind.Utc) }
            .Select(at => new MetricRows.Event(at, "credit_card", "EUR", "completed", 12.5m, "C", "DE")).ToList();
        await MetricRows.FillAsync(host, events);

        foreach (var granularity in (string[])["5m", "1d"])
            Assert.Equal(events.Select(e => e.At.Date), (await host.GetAllAsync($"/v1/metrics/histograms?from=0001-01-01&to=9999-12-31&granularity={granularity}&limit=1")).Select(i => i.GetProperty("window_start").GetDateTime().Date));
        Assert.Equal(3, Assert.Single(await host.GetAllAsync("/v1/metrics/histograms?from=0001-01-01&to=9999-12-31&granularity=all")).GetProperty("event_count").GetInt64());
    }

    [Fact]
    public async Task GetHistograms_BadParameter_400NamesIt()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (query, name) in ((string, string)[])[("metric_type=x", "metric_type"), ("granularity=2m", "granularity"), ("group_by=customer_id", "group_by"), ("cursor=e30", "cursor"), ("limit=0", "limit"), ("metrics=p50", "metrics")])
        {
            var problem = await host.GetAsync("/v1/metrics/histograms?" + query, HttpStatusCode.BadRequest);
            Assert.Equal([name], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name));
        }
    }

    private static async Task CompareAsync(QueryHost host, List<MetricRows.Event> events, string granularity, string groupBy)
    {
        var length = TimeSpan.FromMinutes(granularity switch { "5m" or "all" => 5, "15m" => 15, "1h" => 60, _ => 1440 });
        // Not on a window's edge: widened to whole windows.
        var (from, to) = (new DateTime(2026, 2, 28, 21, 47, 3, DateTimeKind.Utc), new DateTime(2026, 3, 2, 1, 31, 0, DateTimeKind.Utc));
        var (floor, ceiling) = (Floor(from, length), Floor(to + length - TimeSpan.FromTicks(1), length));
        var groups = groupBy.Split(',', StringSplitOptions.RemoveEmptyEntries);
        var expected = events.Where(e => e.At >= floor && e.At < ceiling)
            .GroupBy(e => (Start: granularity == "all" ? floor : e.Window(length), e.Currency, Method: groups.Contains("payment_method") ? e.Method : null, Status: groups.Contains("payment_status") ? e.Status : null))
            .OrderBy(g => g.Key.Start).ThenBy(g => g.Key.Currency, StringComparer.Ordinal).ThenBy(g => g.Key.Method, StringComparer.Ordinal).ThenBy(g => g.Key.Status, StringComparer.Ordinal).ToList();

        var items = await host.GetAllAsync($"/v1/metrics/histograms?from={from:O}&to={to:O}&granularity={granularity}&limit={(granularity == "all" ? 100 : 37)}{(groupBy.Length > 0 ? "&group_by=" + groupBy : "")}");

        Assert.Equal(expected.Count, items.Count);
        foreach (var (group, item) in expected.Zip(items))
        {
            Assert.Equal(group.Key.Start, item.GetProperty("window_start").GetDateTime());
            Assert.Equal(granularity == "all" ? ceiling : group.Key.Start + length, item.GetProperty("window_end").GetDateTime());
            Assert.Equal((group.Key.Currency, group.Key.Method, group.Key.Status), (Text(item, "currency"), Text(item, "payment_method"), Text(item, "payment_status")));
            var amounts = group.Select(e => e.Amount).Order().ToList();
            Assert.Equal(amounts.Count, item.GetProperty("event_count").GetInt32());
            foreach (var (name, quantile) in ((string, double)[])[("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)])
                Assert.InRange(item.GetProperty(name).GetDecimal(), amounts[(int)(quantile * (amounts.Count - 1))] * 0.99m, amounts[(int)(quantile * (amounts.Count - 1))] * 1.01m);
        }
    }

    private static string? Text(JsonElement item, string name) => item.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static DateTime Floor(DateTime time, TimeSpan length) => new(time.Ticks - ((time.Ticks - DateTime.UnixEpoch.Ticks) % length.Ticks), DateTimeKind.Utc);
}
