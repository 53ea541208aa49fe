using System.Globalization;
using System.Net;
using System.Text.Json;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class PaymentMetricsApiTests(PlatformFixture platform)
{
    private static readonly string[] Statuses = ["completed", "declined", "failed", "timeout", "error", "pending", "cancelled", "refunded"];

    [Fact]
    public async Task GetMetrics_AllPages_EqualBruteForce()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var rows = await FillAsync(host, new(9), 800);
        foreach (var granularity in (string[])["5m", "15m", "1h", "1d"])
        {
            foreach (var groupBy in (string[])["", "payment_method", "payment_method,currency,payment_status", "payment_status", "currency"])
                await CompareAsync(host, rows, granularity, groupBy);
        }
    }

    [Fact]
    public async Task GetMetrics_LargeSums_KeepEveryDigit()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await InsertAsync(host, new(new DateTime(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc), "credit_card", "EUR", "completed", 3, 1m, 0.0001m, 999999999999999.9999m));
        await host.Archive.ExecuteAsync("UPDATE payment_metrics_5m SET total_amount = 9999999999999999999999999999999999.9999");
        var item = (await host.GetAsync("/v1/metrics/payments?from=2026-03-01&to=2026-03-02&metrics=processed_amount,min_amount,max_amount")).GetProperty("items")[0];
        Assert.Equal("9999999999999999999999999999999999.9999", item.GetProperty("processed_amount").GetRawText());
        Assert.Equal("0.0001", item.GetProperty("min_amount").GetRawText());
        Assert.Equal("999999999999999.9999", item.GetProperty("max_amount").GetRawText());
        Assert.False(item.TryGetProperty("payment_count", out _));
    }

    [Fact]
    public async Task GetMetrics_NoRange_LastDay()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var now = Floor(DateTime.UtcNow, 5);
        await InsertAsync(host, new(now, "credit_card", "EUR", "completed", 1, 1, 1, 1));
        await InsertAsync(host, new(now.AddHours(-23), "credit_card", "EUR", "completed", 2, 2, 1, 1));
        await InsertAsync(host, new(now.AddHours(-25), "credit_card", "EUR", "completed", 4, 4, 1, 1));
        Assert.Equal([2, 1], (await host.GetAllAsync("/v1/metrics/payments?limit=1")).Select(i => i.GetProperty("payment_count").GetInt32()));
    }

    [Fact]
    public async Task GetMetrics_BadParameter_400NamesIt()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (query, name) in ((string, string)[])
        [
            ("granularity=2m", "granularity"),
            ("group_by=customer_id", "group_by"),
            ("group_by=currency,currency", "group_by"),
            ("metrics=payment_count,;drop table x", "metrics"),
            ("cursor=e30", "cursor"),
            ("group_by=payment_method&cursor=eyJmIjowLCJ0IjowLCJ3IjowLCJrIjpbIkVVUiJdfQ", "cursor"),
            ("limit=10001", "limit"),
            ("from=1", "from"),
            ("origin=replay", "origin"),
        ])
        {
            var problem = await host.GetAsync("/v1/metrics/payments?" + query, HttpStatusCode.BadRequest);
            Assert.Equal([name], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name));
        }
    }

    [Fact]
    public async Task GetMetrics_EdgeOfTime_Answers()
    {
        await using var host = await QueryHost.StartAsync(platform);
        Assert.Empty(await host.GetAllAsync("/v1/metrics/payments?from=0001-01-01&to=9999-12-31T23:59:59.999999Z&granularity=1d"));
    }

    private static async Task CompareAsync(QueryHost host, List<MetricsRow> rows, string granularity, string groupBy)
    {
        var window = granularity switch { "5m" => 5, "15m" => 15, "1h" => 60, _ => 1440 };
        var groups = groupBy.Split(',', StringSplitOptions.RemoveEmptyEntries);
        // Not on a window's edge: widened to whole windows.
        var (from, to) = (new DateTime(2026, 3, 1, 1, 2, 3, DateTimeKind.Utc), new DateTime(2026, 3, 2, 11, 7, 0, DateTimeKind.Utc));
        var (floor, ceiling) = (Floor(from, window), Floor(to.AddMinutes(window).AddTicks(-1), window));
        var expected = rows
            .Where(r => r.Start >= floor && r.Start < ceiling)
            .GroupBy(r => (Window: Floor(r.Start, window), r.Currency, Method: groups.Contains("payment_method") ? r.Method : null, Status: groups.Contains("payment_status") ? r.Status : null))
            .OrderBy(g => g.Key.Window).ThenBy(g => g.Key.Currency, StringComparer.Ordinal).ThenBy(g => g.Key.Method, StringComparer.Ordinal).ThenBy(g => g.Key.Status, StringComparer.Ordinal)
            .ToList();
        var items = await host.GetAllAsync($"/v1/metrics/payments?from={from:O}&to={to:O}&granularity={granularity}&limit=83{(groupBy.Length > 0 ? "&group_by=" + groupBy : "")}");

        Assert.NotEmpty(expected);
        Assert.Equal(expected.Count, items.Count);
        foreach (var (group, item) in expected.Zip(items))
        {
            Assert.Equal(group.Key.Window, item.GetProperty("window_start").GetDateTime());
            Assert.Equal(group.Key.Window.AddMinutes(window), item.GetProperty("window_end").GetDateTime());
            Assert.Equal(group.Key.Currency, item.GetProperty("currency").GetString());
            Assert.Equal(groups.Contains("payment_method"), item.TryGetProperty("payment_method", out var method));
            Assert.Equal(groups.Contains("payment_status"), item.TryGetProperty("payment_status", out var status));
            Assert.Equal(group.Key.Method, group.Key.Method is null ? null : method.GetString());
            Assert.Equal(group.Key.Status, group.Key.Status is null ? null : status.GetString());
            var count = group.Sum(r => r.Count);
            var attempts = group.Where(r => r.Status is "completed" or "declined" or "failed" or "timeout" or "error").Sum(r => r.Count);
            Assert.Equal(count, item.GetProperty("payment_count").GetInt64());
            Assert.Equal(group.Where(r => r.Status == "completed").Sum(r => r.Total), item.GetProperty("processed_amount").GetDecimal());
            Assert.Equal(group.Min(r => r.Min), item.GetProperty("min_amount").GetDecimal());
            Assert.Equal(group.Max(r => r.Max), item.GetProperty("max_amount").GetDecimal());
            Assert.Equal((double)(group.Sum(r => r.Total) / count), item.GetProperty("avg_amount").GetDouble(), 1e-9);
            if (attempts == 0)
                Assert.Equal(JsonValueKind.Null, item.GetProperty("payment_success_rate").ValueKind);
            else
                Assert.Equal((double)group.Where(r => r.Status == "completed").Sum(r => r.Count) / attempts, item.GetProperty("payment_success_rate").GetDouble(), 1e-12);
        }
    }

    private static DateTime Floor(DateTime time, int minutes) => new(time.Ticks - ((time.Ticks - DateTime.UnixEpoch.Ticks) % TimeSpan.FromMinutes(minutes).Ticks), DateTimeKind.Utc);

    private static async Task<List<MetricsRow>> FillAsync(QueryHost host, Random random, int count)
    {
        var rows = new Dictionary<(DateTime, string, string, string), MetricsRow>();
        while (rows.Count < count)
        {
            var start = new DateTime(2026, 2, 28, 22, 0, 0, DateTimeKind.Utc).AddMinutes(5 * random.Next(600));
            var events = random.Next(1, 50);
            decimal min = random.Next(1, 100000) / 100m, max = min + (random.Next(100000) / 10000m);
            var row = new MetricsRow(start, RandomArchive.Pick(random, ["credit_card", "Überweisung", "bank_transfer"]), RandomArchive.Pick(random, ["EUR", "USD", "JPY"]), RandomArchive.Pick(random, Statuses), events, events * min, min, max);
            if (rows.TryAdd((row.Start, row.Method, row.Currency, row.Status), row))
                await InsertAsync(host, row);
        }

        return [.. rows.Values];
    }

    private static Task InsertAsync(QueryHost host, MetricsRow row) => host.Archive.ExecuteAsync(
        """
        INSERT INTO payment_metrics_5m (window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount)
        VALUES ($1, $1 + interval '5 minutes', $2, $3, $4, $5, $6, $7, $8)
        """,
        [.. new object[] { row.Start, row.Method, row.Currency, row.Status, row.Count, row.Total, row.Min, row.Max }.Select(v => new NpgsqlParameter { Value = v })]);

    private sealed record MetricsRow(DateTime Start, string Method, string Currency, string Status, long Count, decimal Total, decimal Min, decimal Max);
}
