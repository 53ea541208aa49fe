using System.Text.Json;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class DerivedMetricsTests(PlatformFixture platform)
{
    private const string Range = "from=2026-03-01&to=2026-03-02";

    private const string Rules = """
        rules:
          - { name: volume, version: 2, metric_type: sum, field: amount, condition: amount > 0, group_by: currency, window: 5m }
          - { name: completed, version: 1, metric_type: count, condition: payment_status == "completed", group_by: currency, window: 5m }
          - { name: share, version: 1, metric_type: percentage, condition: amount > 0, matching: amount > 10, group_by: currency, window: 5m }
          - { name: net, version: 1, metric_type: derived, expression: volume - completed }
          - { name: a_ticket, version: 3, metric_type: derived, expression: (net + completed) / (completed - 4) }
          - { name: doubled_share, version: 1, metric_type: derived, expression: share * 2 }
          - { name: switched_off, version: 1, metric_type: derived, enabled: false, expression: share * 3 }
        """;

    private static readonly DateTime Start = new(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task GetDynamic_DerivedRule_ComputedFromItsPartsOfTheSameGroupAndWindow()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillAsync(host);
        // The second window of EUR divides by 0; JPY has no completed ones; of another version is as good as missing.
        var items = await host.GetAllAsync($"/v1/metrics/dynamic?{Range}&rule_name=a_ticket");
        Assert.Equal(["00:00 [\"EUR\"] 10.25", "00:05 [\"EUR\"] null", "00:05 [\"USD\"] -5.125"], items.Select(Show));
        Assert.All(items, i => Assert.Equal(
            ("window", "a_ticket", 3, "derived", JsonValueKind.Null, JsonValueKind.Null),
            (Text(i, "kind"), Text(i, "rule_name"), i.GetProperty("rule_version").GetInt32(), Text(i, "metric_type"), i.GetProperty("event_count").ValueKind, i.GetProperty("matched").ValueKind)));
        Assert.Equal(Start.AddMinutes(5), items[0].GetProperty("window_end").GetDateTime());
        Assert.Equal(["00:00 [\"EUR\"] 50"], (await host.GetAllAsync($"/v1/metrics/dynamic?{Range}&rule_name=doubled_share")).Select(Show));
        Assert.Equal(3, (await host.GetAllAsync($"/v1/metrics/dynamic?{Range}&rule_name=a_ticket&kind=window")).Count);
        Assert.Empty(await host.GetAllAsync($"/v1/metrics/dynamic?{Range}&rule_name=a_ticket&kind=event"));
        Assert.Empty(await host.GetAllAsync($"/v1/metrics/dynamic?{Range}&rule_name=switched_off"));
        Assert.Empty(await host.GetAllAsync($"/v1/metrics/dynamic?{Range}&rule_name=a_ticket&metric_type=sum"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("&metric_type=derived")]
    [InlineData("&rule_name=net")]
    public async Task GetDynamic_WithDerivedRules_AllPagesInOrderAndOnce(string filter)
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillAsync(host);
        await DynamicMetricsApiTests.FillAsync(host);
        var all = (await host.GetAllAsync($"/v1/metrics/dynamic?{Range}{filter}&limit=1000")).ConvertAll(i => i.GetRawText());
        Assert.Equal(filter switch { "" => 40 + 30 + 9 + 7, "&rule_name=net" => 3, _ => 7 }, all.Count);
        Assert.Equal(all, all.Distinct());
        foreach (var limit in (int[])[1, 2, 5])
            Assert.Equal(all, (await host.GetAllAsync($"/v1/metrics/dynamic?{Range}{filter}&limit={limit}")).Select(i => i.GetRawText()));
        if (filter.Length == 0)
        {
            var keys = all.ConvertAll(t => JsonDocument.Parse(t).RootElement).ConvertAll(i => $"{Text(i, "time")} {Text(i, "kind")} {Text(i, "rule_name")}");
            Assert.Equal(keys.Order(StringComparer.Ordinal), keys);
        }
    }

    [Fact]
    public async Task GetDynamic_NewerRules_DerivedFollowsThem()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillAsync(host);
        Assert.Equal("50", (await host.GetAllAsync($"/v1/metrics/dynamic?{Range}&rule_name=doubled_share"))[0].GetProperty("metric_value").GetRawText());
        await RulesApiTests.PutAsync(host, Rules.Replace("doubled_share, version: 1", "doubled_share, version: 2").Replace("share * 2", "2 * share / 100"));
        var item = Assert.Single(await host.GetAllAsync($"/v1/metrics/dynamic?{Range}&rule_name=doubled_share"));
        Assert.Equal(("2", "0.5"), (item.GetProperty("rule_version").GetRawText(), item.GetProperty("metric_value").GetRawText()));
    }

    private static async Task FillAsync(QueryHost host)
    {
        await RulesApiTests.PutAsync(host, Rules);
        foreach (var (minute, rule, version, group, type, count, matched, total) in ((int, string, string, string, string, long, long, decimal)[])
        [
            (0, "volume", "2", "EUR", "sum", 9, 0, 20.5m), (0, "completed", "1", "EUR", "count", 6, 0, 0), (0, "share", "1", "EUR", "percentage", 8, 2, 0),
            (5, "volume", "2", "EUR", "sum", 9, 0, 20.5m), (5, "completed", "1", "EUR", "count", 4, 0, 0),
            (5, "volume", "2", "USD", "sum", 9, 0, 10.25m), (5, "completed", "1", "USD", "count", 2, 0, 0),
            (5, "volume", "2", "JPY", "sum", 9, 0, 20.5m), (5, "completed", "0", "JPY", "count", 6, 0, 0),
        ])
        {
            await MetricRows.ExecuteAsync(
                host,
                "INSERT INTO rule_buckets (window_start, window_end, rule_name, rule_version, group_key, metric_type, event_count, matched, total) VALUES ($1, $1 + interval '5 minutes', $2, $3, $4, $5, $6, $7, $8)",
                Start.AddMinutes(minute), rule, version, $"[\"{group}\"]", type, count, matched, total);
        }
    }

    private static string Show(JsonElement item) => $"{item.GetProperty("time").GetDateTime():HH:mm} {item.GetProperty("group_key").GetRawText()} {item.GetProperty("metric_value").GetRawText()}";

    private static string? Text(JsonElement item, string name) => item.GetProperty(name).GetString();
}
