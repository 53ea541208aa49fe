using Microsoft.Extensions.Logging.Abstractions;
using PaymentPlatform.Metrics.Clusters;
using PaymentPlatform.Metrics.Deltas;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

public sealed class ClusterTests(PlatformFixture platform)
{
    private const string Rows =
        "SELECT concat_ws('|', extract(epoch FROM window_start)::bigint, cluster, event_count, share, mean_amount, min_amount, max_amount, payment_method, payment_method_share, currency, currency_share, sampled_events) FROM metric_clusters ORDER BY window_start, cluster";

    [Fact]
    public void Find_GroupsFarApart_AreNotMixed()
    {
        var random = new Random(3);
        var sample = new ClusterSample();
        for (var i = 0; i < 120; i++)
        {
            var (amount, method, currency) = (i % 6) switch { < 3 => (random.Next(10, 20), "credit_card", "EUR"), < 5 => (random.Next(20_000, 40_000), "bank_transfer", "USD"), _ => (random.Next(400, 500), "cryptocurrency", "JPY") };
            sample.Add(new((ulong)random.NextInt64(), amount * 10_000, method, currency));
        }

        var clusters = ClusterFinder.Find(sample);

        // k-means may cut a group in two; it never puts two of these together.
        Assert.InRange(clusters.Count, 3, ClusterFinder.MaxClusters);
        Assert.All(clusters, c => Assert.Equal((1m, 1m), (c.PaymentMethodShare, c.CurrencyShare)));
        Assert.Equal([("bank_transfer", 40), ("credit_card", 60), ("cryptocurrency", 20)], clusters.GroupBy(c => c.PaymentMethod).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => (g.Key, g.Sum(c => c.EventCount))));
        Assert.Equal(clusters.OrderByDescending(c => c.EventCount).Select(c => c.EventCount), clusters.Select(c => c.EventCount));
        Assert.Equal(clusters, ClusterFinder.Find(ClusterSample.FromBytes(sample.ToBytes())));
    }

    [Fact]
    public async Task Run_SampleChanges_ClustersFollow()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var round = new ClusterRound(database.Source, NullLogger.Instance);
        await FoldAsync(database, 0, 9, "10", "credit_card", "EUR");
        Assert.Equal(1, (await round.RunAsync(CancellationToken.None)).Computed);
        // Too few to tell.
        Assert.Empty(await database.QueryAsync(Rows, r => r.GetString(0)));

        await FoldAsync(database, 100, 6, "2500", "bank_transfer", "USD");
        Assert.Equal(1, (await round.RunAsync(CancellationToken.None)).Computed);
        Assert.Equal(
            ["0|1|9|0.6000|10.0000|10.0000|10.0000|credit_card|1.0000|EUR|1.0000|15", "0|2|6|0.4000|2500.0000|2500.0000|2500.0000|bank_transfer|1.0000|USD|1.0000|15"],
            await database.QueryAsync(Rows, r => r.GetString(0)));

        // Nothing new, nothing done.
        Assert.Equal(0, (await round.RunAsync(CancellationToken.None)).Computed);
        await FoldAsync(database, 200, 30, "2500", "bank_transfer", "USD");
        Assert.Equal(1, (await round.RunAsync(CancellationToken.None)).Computed);
        Assert.StartsWith("0|1|36|0.8000|2500.0000|", (await database.QueryAsync(Rows, r => r.GetString(0)))[0], StringComparison.Ordinal);
    }

    private static async Task FoldAsync(MetricsDatabase database, ulong firstHash, int count, string amount, string method, string currency)
    {
        var delta = new MetricDelta();
        var key = delta.IdOf(new(0, method, currency, "completed"));
        for (var i = 0; i < count; i++)
            delta.AddEvent(key, (Int128)(decimal.Parse(amount) * 10_000), 0, "C1"u8, "M1"u8, "DE"u8, firstHash + (ulong)i);
        await using (var connection = await database.Source.OpenConnectionAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await DeltaTables.AppendAsync(transaction, delta, CancellationToken.None);
            await transaction.CommitAsync();
        }

        await database.FoldAllAsync();
    }
}
