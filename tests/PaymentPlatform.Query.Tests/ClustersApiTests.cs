using System.Net;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class ClustersApiTests(PlatformFixture platform)
{
    [Fact]
    public async Task GetClusters_AllPages_ByWindowTheLargestFirst()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.ExecuteAsync("""
            INSERT INTO metric_clusters (window_start, cluster, event_count, share, mean_amount, min_amount, max_amount, payment_method, payment_method_share, currency, currency_share, sampled_events, sample_updated_at)
            SELECT '2026-02-28 23:50Z'::timestamptz + w * interval '5 minutes', c, 100 - c * 10, 0.25, 12.5, 1, 9999.9999, 'credit_card', 1, 'EUR', 0.5, 200, now() FROM generate_series(0, 3) w, generate_series(1, 3) c
            """);

        var items = await host.GetAllAsync("/v1/metrics/clusters?from=2026-02-28T23:55:00Z&to=2026-03-01T00:05:00Z&limit=2");

        Assert.Equal(
            [(55, 1), (55, 2), (55, 3), (0, 1), (0, 2), (0, 3)],
            items.Select(i => (i.GetProperty("window_start").GetDateTime().ToUniversalTime().Minute, i.GetProperty("cluster").GetInt32())));
        Assert.Equal("9999.9999", items[0].GetProperty("max_amount").GetRawText());
        Assert.Equal((90, 200), (items[0].GetProperty("event_count").GetInt32(), items[0].GetProperty("sampled_events").GetInt32()));
        Assert.Empty(await host.GetAllAsync("/v1/metrics/clusters"));
    }

    [Fact]
    public async Task GetClusters_BadParameter_400NamesIt()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (query, name) in ((string, string)[])[("from=x", "from"), ("limit=0", "limit"), ("cursor=e30", "cursor"), ("currency=EUR", "currency")])
        {
            var problem = await host.GetAsync("/v1/metrics/clusters?" + query, HttpStatusCode.BadRequest);
            Assert.Equal([name], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name));
        }
    }
}
