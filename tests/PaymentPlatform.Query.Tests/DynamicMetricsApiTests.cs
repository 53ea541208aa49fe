using System.Net;
using System.Text.Json;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class DynamicMetricsApiTests(PlatformFixture platform)
{
    private static readonly DateTime Start = new(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task GetDynamic_AllPages_BothKindsInOrderAndOnce()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var expected = await FillAsync(host);
        foreach (var limit in (int[])[1, 7, 1000])
            Assert.Equal(expected, (await host.GetAllAsync($"/v1/metrics/dynamic?from=2026-03-01&to=2026-03-02&limit={limit}")).Select(Identity));
    }

    [Theory]
    [InlineData("rule_name=high_value")]
    [InlineData("metric_type=sum")]
    [InlineData("kind=event")]
    [InlineData("kind=window")]
    [InlineData("from=2026-03-01T00:10:00Z&to=2026-03-01T00:20:00Z")]
    public async Task GetDynamic_Filter_OnlyWhatItAsksFor(string filter)
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillAsync(host);
        var range = filter.StartsWith("from", StringComparison.Ordinal) ? "" : "from=2026-03-01&to=2026-03-02&";
        var all = await host.GetAllAsync("/v1/metrics/dynamic?from=2026-03-01&to=2026-03-02");
        bool Wanted(JsonElement item) => filter switch
        {
            "rule_name=high_value" => item.GetProperty("rule_name").GetString() == "high_value",
            "metric_type=sum" => item.GetProperty("metric_type").GetString() == "sum",
            "kind=event" or "kind=window" => item.GetProperty("kind").GetString() == filter["kind=".Length..],
            _ => item.GetProperty("time").GetDateTime() is var time && time >= Start.AddMinutes(10) && time < Start.AddMinutes(20),
        };
        var wanted = all.Where(Wanted).Select(Identity).ToList();
        Assert.NotEmpty(wanted);
        Assert.Equal(wanted, (await host.GetAllAsync($"/v1/metrics/dynamic?{range}{filter}&limit=3")).Select(Identity));
    }

    [Fact]
    public async Task GetDynamic_Transaction_ItsHitsWheneverTheyWere()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillAsync(host);
        var items = await host.GetAllAsync("/v1/metrics/dynamic?transaction_id=t3&limit=1");
        Assert.NotEmpty(items);
        Assert.All(items, i => Assert.Equal(("event", "t3"), (i.GetProperty("kind").GetString(), i.GetProperty("transaction_id").GetString())));
        Assert.Equal("12.5", items[0].GetProperty("metric_value").GetRawText());
        Assert.Empty(await host.GetAllAsync("/v1/metrics/dynamic?transaction_id=t3&kind=window"));
        Assert.Equal("""{"a":1}""", items[0].GetProperty("metric_data").GetRawText());
    }

    [Theory]
    [InlineData("count", "8")]
    [InlineData("sum", "20.5")]
    [InlineData("average", "2.5625")]
    [InlineData("ratio", "0.25")]
    [InlineData("percentage", "25")]
    public async Task GetDynamic_Window_ValueByMetricType(string type, string value)
    {
        await using var host = await QueryHost.StartAsync(platform);
        await MetricRows.ExecuteAsync(
            host, """INSERT INTO rule_buckets (window_start, window_end, rule_name, rule_version, group_key, metric_type, event_count, matched, total) VALUES ($1, $1 + interval '1 hour', 'r', '12', '["credit_card",null]', $2, 8, 2, 20.5)""", Start, type);
        var item = Assert.Single(await host.GetAllAsync("/v1/metrics/dynamic?from=2026-03-01&to=2026-03-02"));
        Assert.Equal(value, item.GetProperty("metric_value").GetRawText());
        Assert.Equal(("12", """["credit_card",null]"""), (item.GetProperty("rule_version").GetRawText(), item.GetProperty("group_key").GetRawText()));
        Assert.Equal(Start.AddHours(1), item.GetProperty("window_end").GetDateTime());
        Assert.Equal((8, 2), (item.GetProperty("event_count").GetInt32(), item.GetProperty("matched").GetInt32()));
    }

    [Fact]
    public async Task GetDynamic_BadParameter_400NamesIt()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (query, name) in ((string, string)[])[("cursor=e30", "cursor"), ("cursor=eyJhIjowLCJ3Ijp0cnVlLCJrIjpbIngiXX0", "cursor"), ("limit=1001", "limit"), ("from=1", "from"), ("group=x", "group"), ("kind=hit", "kind"), ("metric_type=violation", "metric_type"), ("rule_name=", "rule_name")])
        {
            var problem = await host.GetAsync("/v1/metrics/dynamic?" + query, HttpStatusCode.BadRequest);
            Assert.Equal([name], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name));
        }
    }

    internal static async Task<List<string>> FillAsync(QueryHost host)
    {
        var rows = new List<(DateTime Time, string Kind, string Rule, string Tail, string Identity)>();
        for (var i = 0; i < 40; i++)
        {
            var time = Start.AddMinutes(i / 4);
            var rule = i % 2 == 0 ? "high_value" : "velocity";
            await MetricRows.ExecuteAsync(
                host,
                """
                INSERT INTO dynamic_metrics (event_time, rule_name, stream, log_id, partition_id, stream_offset, rule_version, metric_type, transaction_id, correlation_id, metric_value, metric_data)
                VALUES ($1, $2, 'payments', 'log', $3, $4, '1', 'count', $5, 'c', 12.5, '{"a": 1}')
                """,
                time, rule, i % 3, (long)i, $"t{i % 10}");
            rows.Add((time, "event", rule, $"{i % 3}/{i:D3}", $"event {time:O} {rule} {i % 3}/{i}"));
        }

        for (var i = 0; i < 30; i++)
        {
            var start = Start.AddMinutes(5 * (i / 6));
            var group = $"[\"g{i % 6}\"]";
            await MetricRows.ExecuteAsync(
                host,
                "INSERT INTO rule_buckets (window_start, window_end, rule_name, rule_version, group_key, metric_type, event_count, matched, total) VALUES ($1, $1 + interval '5 minutes', $2, '1', $3, $4, 8, 2, 20.5)",
                start, i % 2 == 0 ? "high_value" : "volume", group, i % 2 == 0 ? "count" : "sum");
            rows.Add((start, "window", i % 2 == 0 ? "high_value" : "volume", group, $"window {start:O} {(i % 2 == 0 ? "high_value" : "volume")} {group}"));
        }

        return [.. rows.OrderBy(r => r.Time).ThenBy(r => r.Kind, StringComparer.Ordinal).ThenBy(r => r.Rule, StringComparer.Ordinal).ThenBy(r => r.Tail, StringComparer.Ordinal).Select(r => r.Identity)];
    }

    private static string Identity(JsonElement item)
    {
        var head = $"{item.GetProperty("kind").GetString()} {item.GetProperty("time").GetDateTime():O} {item.GetProperty("rule_name").GetString()}";
        return item.GetProperty("kind").GetString() == "event" ? $"{head} {item.GetProperty("stream_partition").GetInt32()}/{item.GetProperty("stream_offset").GetInt64()}" : $"{head} {item.GetProperty("group_key").GetRawText()}";
    }
}
