using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class UniqueFiguresTests(PlatformFixture platform)
{
    private static readonly DateTime Start = new(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task GetMetrics_UniquesAndCountries_EqualBruteForceAtEachGranularity()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var events = MetricRows.Events(new(6), Start, 8 * 60, 1_500);
        await MetricRows.FillAsync(host, events);
        foreach (var minutes in (int[])[5, 15, 60, 1440])
        {
            foreach (var byMethod in (bool[])[false, true])
            {
                var length = TimeSpan.FromMinutes(minutes);
                var expected = events.GroupBy(e => (Start: e.Window(length), e.Currency, Method: byMethod ? e.Method : null))
                    .OrderBy(g => g.Key.Start).ThenBy(g => g.Key.Currency, StringComparer.Ordinal).ThenBy(g => g.Key.Method, StringComparer.Ordinal).ToList();

                var items = await host.GetAllAsync(
                    $"/v1/metrics/payments?from=2026-03-01&to=2026-03-02&granularity={(minutes == 60 ? "1h" : minutes == 1440 ? "1d" : $"{minutes}m")}&metrics=countries,payment_count,unique_customers,unique_merchants&limit=41{(byMethod ? "&group_by=payment_method" : "")}");

                Assert.Equal(expected.Count, items.Count);
                foreach (var (group, item) in expected.Zip(items))
                {
                    Assert.Equal(group.Key.Start, item.GetProperty("window_start").GetDateTime());
                    Assert.Equal(group.Count(), item.GetProperty("payment_count").GetInt32());
                    Assert.Equal(group.Select(e => e.Customer).Distinct().Count(), item.GetProperty("unique_customers").GetInt32());
                    Assert.Equal(0, item.GetProperty("unique_merchants").GetInt32());
                    Assert.Equal(group.CountBy(e => e.Country).ToDictionary(), item.GetProperty("countries").EnumerateObject().ToDictionary(c => c.Name, c => c.Value.GetInt32()));
                }
            }
        }
    }

    [Fact]
    public async Task GetMetrics_NotFoldedYet_CountsWithoutUniques()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await MetricRows.FillAsync(host, MetricRows.Events(new(7), Start, 5, 10));
        await host.Archive.ExecuteAsync("UPDATE payment_metrics_5m SET unique_customers = NULL, customers_sketch = NULL, countries = NULL");
        foreach (var item in await host.GetAllAsync("/v1/metrics/payments?from=2026-03-01&to=2026-03-02&metrics=payment_count,unique_customers,countries"))
        {
            Assert.True(item.GetProperty("payment_count").GetInt32() > 0);
            Assert.Equal(0, item.GetProperty("unique_customers").GetInt32());
            Assert.Empty(item.GetProperty("countries").EnumerateObject());
        }
    }

    [Fact]
    public async Task GetMetrics_ComparePrevious_EachItemBesideTheWindowBefore()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await MetricRows.FillAsync(host, MetricRows.Events(new(8), Start, 6 * 60, 400));
        foreach (var query in (string[])["granularity=5m", "granularity=15m&group_by=payment_status", "granularity=1h&group_by=payment_method,payment_status&metrics=payment_count,unique_customers,countries", "granularity=1d&group_by=payment_method"])
        {
            // All windows there are, without a comparison: what each should be compared with.
            var plain = (await host.GetAllAsync($"/v1/metrics/payments?from=2026-02-01&to=2026-03-05&{query}")).ToDictionary(i => (i.GetProperty("window_start").GetDateTime(), Group(i)));
            var items = await host.GetAllAsync($"/v1/metrics/payments?from=2026-03-01T00:30:00Z&to=2026-03-05&{query}&compare=previous&limit=7");
            Assert.True(items.Count > 5);
            var length = items[0].GetProperty("window_end").GetDateTime() - items[0].GetProperty("window_start").GetDateTime();
            var first = new DateTime(2026, 3, 1, 0, 30, 0, DateTimeKind.Utc);
            // Each group of a window or of the one before.
            var expected = plain.Keys.Concat(plain.Keys.Select(k => (k.Item1 + length, k.Item2))).Where(k => k.Item1 + length > first && k.Item1 < new DateTime(2026, 3, 5)).Distinct();
            Assert.Equal(expected.Order(), items.Select(i => (i.GetProperty("window_start").GetDateTime(), Group(i))));
            Assert.Equal((await host.GetAllAsync($"/v1/metrics/payments?from=2026-03-01T00:30:00Z&to=2026-03-05&{query}&compare=previous&limit=10000")).Select(i => i.GetRawText()), items.Select(i => i.GetRawText()));
            foreach (var item in items)
            {
                var start = item.GetProperty("window_start").GetDateTime();
                var before = start - length;
                Assert.False(item.GetProperty("in_progress").GetBoolean());
                if (!plain.ContainsKey((start, Group(item))))
                {
                    Assert.Equal(0, item.GetProperty("payment_count").GetInt32());
                    Assert.Equal("-1", item.GetProperty("change").GetProperty("payment_count").GetRawText());
                }

                if (!plain.TryGetValue((before, Group(item)), out var previous))
                {
                    Assert.Equal(JsonValueKind.Null, item.GetProperty("previous").ValueKind);
                    Assert.Equal(JsonValueKind.Null, item.GetProperty("change").ValueKind);
                    continue;
                }

                foreach (var metric in item.GetProperty("previous").EnumerateObject())
                {
                    Assert.Equal(previous.GetProperty(metric.Name).GetRawText(), metric.Value.GetRawText());
                    if (metric.Name == "countries")
                        continue;
                    var change = item.GetProperty("change").GetProperty(metric.Name);
                    var now = item.GetProperty(metric.Name);
                    if (metric.Value.ValueKind == JsonValueKind.Null || now.ValueKind == JsonValueKind.Null || metric.Value.GetDecimal() == 0)
                        Assert.Equal(JsonValueKind.Null, change.ValueKind);
                    else
                        Assert.Equal((double)((now.GetDecimal() - metric.Value.GetDecimal()) / metric.Value.GetDecimal()), change.GetDouble(), 1e-6);
                }
            }

            if (!query.Contains("1d"))
                Assert.Contains(items, i => i.GetProperty("previous").ValueKind == JsonValueKind.Object);
        }
    }

    [Fact]
    public async Task GetMetrics_ComparePreviousNow_MarksTheWindowInProgressAndNamesWhatOnlyTheOneBeforeHad()
    {
        var now = Start.AddMinutes(7);
        await using var host = await QueryHost.StartAsync(platform, services: s => s.AddSingleton<TimeProvider>(new FakeTimeProvider(now)));
        foreach (var (minute, currency) in ((int, string)[])[(0, "EUR"), (0, "JPY"), (5, "EUR"), (10, "CHF")])
        {
            await MetricRows.ExecuteAsync(
                host,
                "INSERT INTO payment_metrics_5m (window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount) VALUES ($1, $1 + interval '5 minutes', 'credit_card', $2, 'completed', 4, 20, 1, 9)",
                Start.AddMinutes(minute), currency);
        }

        // The window that has not begun lacks nothing yet: EUR is not there.
        var items = await host.GetAllAsync($"/v1/metrics/payments?from=2026-03-01&to=2026-03-02&compare=previous&metrics={string.Join(',', PaymentMetricsQuery.AllMetrics)}");
        Assert.Equal(["00:00 EUR False 4 ", "00:00 JPY False 4 ", "00:05 EUR True 4 4", "00:05 JPY True 0 4", "00:10 CHF True 4 "], items.Select(Show));
        var gone = items[3];
        Assert.Equal(["0", "null", "0", "null", "null", "null", "0", "0", "{}"], PaymentMetricsQuery.AllMetrics.Select(m => gone.GetProperty(m).GetRawText()));
        Assert.Equal("-1", gone.GetProperty("change").GetProperty("processed_amount").GetRawText());

        static string Show(JsonElement item) =>
            $"{item.GetProperty("window_start").GetDateTime():HH:mm} {item.GetProperty("currency").GetString()} {item.GetProperty("in_progress").GetBoolean()} {item.GetProperty("payment_count").GetInt32()} {(item.GetProperty("previous") is { ValueKind: JsonValueKind.Object } previous ? previous.GetProperty("payment_count").GetRawText() : "")}";
    }

    [Fact]
    public async Task GetMetrics_ComparePreviousAtTheEdgeOfTime_Answers()
    {
        await using var host = await QueryHost.StartAsync(platform);
        Assert.Empty(await host.GetAllAsync("/v1/metrics/payments?from=0001-01-01&to=9999-12-31T23:59:59.999999Z&granularity=1d&compare=previous"));
    }

    private static string Group(JsonElement item) => string.Join('/', new[] { "currency", "payment_method", "payment_status" }.Select(n => item.TryGetProperty(n, out var value) ? value.GetString() : ""));
}
