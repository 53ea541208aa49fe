using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.MetricEngine.Sketches;
using PaymentPlatform.Metrics.Deltas;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

public sealed class DeltaFolderTests(PlatformFixture platform)
{
    [Fact]
    public async Task Fold_AnySplitWritersAndChaos_SameBytes()
    {
        var log = TestLog.Random(71, partitions: 4, events: 4_000);
        await using var whole = await MetricsDatabase.CreateAsync(platform);
        await whole.RunAsync(log, whole.Source, new() { CommitInterval = TimeSpan.FromSeconds(10) }, new ChaosConsumer(log, whole.Source, 1, 0, maxBatch: 10_000));
        await whole.FoldAllAsync();
        var expected = await whole.FoldedAsync();
        Assert.True(expected.Count(row => row.StartsWith("histogram", StringComparison.Ordinal)) > 500);

        await using var split = await MetricsDatabase.CreateAsync(platform);
        await split.RunAsync(log, split.Source, new() { MaxBatchEvents = 60 }, new ChaosConsumer(log, split.Source, 2, 0.05));
        Assert.True(await split.FoldAllAsync(maxRows: 3) > 10);
        Assert.Equal(expected, await split.FoldedAsync());

        await using var shared = await MetricsDatabase.CreateAsync(platform);
        await RunAndFoldAsync(shared, log, owners: 3);
        Assert.Equal(expected, await shared.FoldedAsync());
    }

    [Fact]
    public async Task Fold_ConnectionsTerminatedAtRandom_SameBytes()
    {
        var log = TestLog.Random(72, partitions: 2, events: 6_000);
        await using var whole = await MetricsDatabase.CreateAsync(platform);
        await whole.RunAsync(log, new ChaosConsumer(log, whole.Source, 1, 0));
        await whole.FoldAllAsync();

        await using var killed = await MetricsDatabase.CreateAsync(platform);
        await killed.RunAsync(log, killed.Source, new() { MaxBatchEvents = 50 }, new ChaosConsumer(log, killed.Source, 1, 0));
        using var done = new CancellationTokenSource();
        var kills = 0;
        var killer = KillAsync();
        async Task KillAsync()
        {
            while (!done.IsCancellationRequested)
            {
                kills += (await killed.QueryAsync(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'observer' AND query LIKE '%metric%' AND state <> 'idle'", r => (int)r.GetInt64(0)))[0];
                await Task.Yield();
            }
        }

        var faults = 0;
        var folder = new DeltaFolder(killed.Source, 4);
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    // Left alone after a while: a machine may be so slow that no fold lives.
                    if (faults == 40)
                        await done.CancelAsync();
                    return await folder.FoldAsync(CancellationToken.None) is { Rows: 0 };
                }
                catch (NpgsqlException)
                {
                    faults++;
                    return false;
                }
            },
            "all is folded");
        await done.CancelAsync();
        await killer;

        Assert.True(kills > 0);
        Assert.Equal(await whole.FoldedAsync(), await killed.FoldedAsync());
    }

    [Fact]
    public async Task Fold_RolledBackBeforeItsCommit_NothingChangedAndNothingLost()
    {
        var log = TestLog.Random(73, partitions: 1, events: 500);
        await using var database = await MetricsDatabase.CreateAsync(platform);
        await database.RunAsync(log, new ChaosConsumer(log, database.Source, 1, 0));
        var before = await database.FoldedAsync();
        await using (var connection = await database.Source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await using var transaction = await BoundedTransaction.BeginAsync(connection, CancellationToken.None);
            Assert.True(await DeltaFolder.TryLockAsync(transaction, CancellationToken.None));
            var delta = new MetricDelta();
            foreach (var payload in await database.QueryAsync("SELECT payload FROM metric_deltas", r => r.GetFieldValue<byte[]>(0)))
                DeltaCodec.MergeInto(delta, payload);
            await DeltaTables.MergeAsync(transaction, delta, CancellationToken.None);
            // Meanwhile another can't fold.
            Assert.Null(await new DeltaFolder(database.Source).FoldAsync(CancellationToken.None));
            await transaction.RollbackAsync(CancellationToken.None);
        }

        Assert.Equal(before, await database.FoldedAsync());
        Assert.True(await database.FoldAllAsync() > 0);
        await AssertEqualsAsync(database, log);
    }

    [Fact]
    public async Task Fold_RandomEvents_EqualsTheModel()
    {
        var log = TestLog.RandomWithRepeats(74, partitions: 3, events: 5_000);
        await using var database = await MetricsDatabase.CreateAsync(platform);
        await RunAndFoldAsync(database, log, owners: 2);

        await AssertEqualsAsync(database, log);
        Assert.Equal([0L], await database.QueryAsync("SELECT count(*) FROM metric_deltas", r => r.GetInt64(0)));
    }

    [Fact]
    public async Task Fold_DeltaOfANewerVersion_RefusedAndKept()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        await database.QueryAsync("INSERT INTO metric_deltas (payload) VALUES ('\\x0199') RETURNING id", r => r.GetInt64(0));

        await Assert.ThrowsAsync<SketchFormatException>(() => new DeltaFolder(database.Source).FoldAsync(CancellationToken.None));

        Assert.Equal([1L], await database.QueryAsync("SELECT count(*) FROM metric_deltas", r => r.GetInt64(0)));
    }

    [Fact]
    public async Task Fold_BucketsOfRules_AddedUp()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        for (var i = 1; i <= 4; i++)
        {
            var delta = new MetricDelta();
            var euros = new RuleBucket("volume", 3, MetricType.Sum, "EUR", 0, 300_000_000);
            delta.AddBucket(euros, new() { Count = i, Matched = 1, Sum = i * 10_000, Min = i * 10_000, Max = i * 10_000 });
            delta.AddBucket(euros with { GroupKey = "USD", MetricType = MetricType.Count }, new() { Count = 1 });
            await using var connection = await database.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await DeltaTables.AppendAsync(transaction, delta, CancellationToken.None);
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }

        Assert.True(await database.FoldAllAsync(maxRows: 3) == 2);

        Assert.Equal(["bucket|0.000000|300.000000|volume|3|EUR|sum|10|4|10.0000|1.0000|4.0000", "bucket|0.000000|300.000000|volume|3|USD|count|4|0|0.0000"], await database.FoldedAsync());
    }

    [Fact]
    public async Task Fold_BucketBeyondWhatADecimalHolds_StaysAtTheLimitAndIsLogged()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var lines = new LogCollector();
        var limit = (Int128)decimal.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            var delta = new MetricDelta();
            var euros = new RuleBucket("volume", 3, MetricType.Sum, "EUR", 0, 300_000_000);
            delta.AddBucket(euros, new() { Count = 2, Sum = limit + 1, Min = -limit - 1, Max = limit + 1 });
            delta.AddBucket(euros with { GroupKey = "USD" }, new() { Count = 1, Sum = 10_000, Min = 10_000, Max = 10_000 });
            await using var connection = await database.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await DeltaTables.AppendAsync(transaction, delta, CancellationToken.None);
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }

        var folder = new DeltaFolder(database.Source, maxRows: 1, lines);
        while (await folder.FoldAsync(CancellationToken.None) is { Rows: > 0 })
        {
        }

        Assert.Equal(
            ["bucket|0.000000|300.000000|volume|3|EUR|sum|6|0|7922816251426433759354395.0335|-7922816251426433759354395.0335|7922816251426433759354395.0335", "bucket|0.000000|300.000000|volume|3|USD|sum|3|0|3.0000|1.0000|1.0000"],
            await database.FoldedAsync());
        Assert.Equal(3, lines.Count(LogLevel.Error, "rule volume, version 3"));
    }

    /// <summary>By plain LINQ over JSON: exact where the sketches are exact, percentiles within 1 %.</summary>
    private static async Task AssertEqualsAsync(MetricsDatabase database, TestLog log)
    {
        await database.AssertEqualsAsync(log);
        var events = log.Counted.Select(m => Read(m.Message.Message.Body.ToArray())).OfType<(FigureKey Key, decimal Amount, string? Customer, string? Merchant, string Country)>().ToList();
        var figures = (await database.QueryAsync(
            "SELECT (extract(epoch FROM window_start) * 1000000)::bigint, payment_method, currency, payment_status, unique_customers, unique_merchants, countries::text FROM payment_metrics_5m",
            r => (Key: new FigureKey(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3)), Customers: r.GetInt64(4), Merchants: r.GetInt64(5), Countries: r.GetString(6)))).ToDictionary(f => f.Key);
        var groups = events.GroupBy(e => e.Key).ToList();
        Assert.Equal(groups.Count, figures.Count);
        foreach (var group in groups)
        {
            var figure = figures[group.Key];
            Assert.Equal(group.Select(e => e.Customer).OfType<string>().Distinct().Count(), figure.Customers);
            Assert.Equal(group.Select(e => e.Merchant).OfType<string>().Distinct().Count(), figure.Merchants);
            Assert.Equal(group.CountBy(e => e.Country).ToDictionary(), JsonSerializer.Deserialize<Dictionary<string, int>>(figure.Countries)!);
        }

        foreach (var (start, end, text, count, sketch) in await database.QueryAsync(
            "SELECT (extract(epoch FROM time_window_start) * 1000000)::bigint, (extract(epoch FROM time_window_end) * 1000000)::bigint, event_type, event_count, sketch FROM aggregate_histograms WHERE metric_type = 'transaction_amount'",
            r => (r.GetInt64(0), r.GetInt64(1), r.GetString(2), r.GetInt64(3), DDSketch.FromBytes(r.GetFieldValue<byte[]>(4)))))
        {
            Assert.True(EventType.TryParse(text, out var type));
            var amounts = events.Where(e => e.Key.WindowStart >= start && e.Key.WindowStart < end && e.Key.Currency == type.Currency && e.Key.PaymentMethod == type.PaymentMethod && e.Key.PaymentStatus == type.PaymentStatus)
                .Select(e => e.Amount).Order().ToList();
            Assert.Equal(amounts.Count, count);
            Assert.Equal(count, sketch.Count);
            foreach (var quantile in (double[])[0, 0.5, 0.9, 0.99, 1])
                Assert.InRange(sketch.Quantile(quantile)!.Value, amounts[(int)(quantile * (count - 1))] * 0.99m, amounts[(int)(quantile * (count - 1))] * 1.01m);
        }
    }

    [Theory]
    [InlineData("0 s", "10 s", false)]
    [InlineData("4 s", "0.5 s", true)]
    [InlineData("0 s", "0 s", true)]
    [InlineData("0 s", "1 h", false)]
    [InlineData("6 s", "1 h", true)]
    [InlineData("-1 h", "10 s", true)]
    public async Task Fold_AfterALongOne_LeavesTimeToCommits(string ago, string taken, bool folds)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        await AppendEmptyAsync(database, 1);
        await database.QueryAsync($"INSERT INTO metric_folds (ended_at, taken) VALUES (clock_timestamp() - interval '{ago}', '{taken}') RETURNING 1", r => r.GetInt32(0));

        Assert.Equal(folds ? new Fold(1, IsAtLimit: false) : (Fold?)null, await new DeltaFolder(database.Source, timeShare: 8).FoldAsync(CancellationToken.None));
        Assert.Equal([folds ? 0L : 1L], await database.QueryAsync("SELECT count(*) FROM metric_deltas", r => r.GetInt64(0)));
    }

    [Fact]
    public async Task Fold_MoreIsLeft_TheNextFollowsAtOnce()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        await AppendEmptyAsync(database, 3);
        var folder = new DeltaFolder(database.Source, maxRows: 2, timeShare: int.MaxValue);

        Assert.Equal(new Fold(2, IsAtLimit: true), await folder.FoldAsync(CancellationToken.None));
        Assert.Equal(new Fold(1, IsAtLimit: false), await folder.FoldAsync(CancellationToken.None));
        await AppendEmptyAsync(database, 1);
        Assert.Null(await new DeltaFolder(database.Source, timeShare: int.MaxValue).FoldAsync(CancellationToken.None));
    }

    private static async Task AppendEmptyAsync(MetricsDatabase database, int count)
    {
        await using var connection = await database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        for (var i = 0; i < count; i++)
            await DeltaTables.AppendAsync(transaction, new(), CancellationToken.None);
        await transaction.CommitAsync();
    }

    private static (FigureKey, decimal, string?, string?, string)? Read(byte[] payload)
    {
        if (TestEvents.Figures([payload]) is not [var figure])
            return null;
        using var document = JsonDocument.Parse(payload);
        var country = Text("customer_country")!;
        return (
            new((figure.Window.Ticks - DateTime.UnixEpoch.Ticks) / 10, figure.Method, figure.Currency, figure.Status), figure.Total, Text("customer_id"), Text("merchant_id"),
            country switch { "" => "unknown", "ZZ" or "Germany" => "other", _ => country.ToUpperInvariant() });

        string? Text(string name) => document.RootElement.TryGetProperty(name, out var value) ? value.GetString() : null;
    }

    private static async Task RunAndFoldAsync(MetricsDatabase database, TestLog log, int owners)
    {
        using var done = new CancellationTokenSource();
        // Two folders meet, and both meet the commits.
        var folders = Enumerable.Range(0, 2).Select(i => Task.Run(async () =>
        {
            var folder = new DeltaFolder(database.Source, 1 + i);
            while (!done.IsCancellationRequested)
                await folder.FoldAsync(CancellationToken.None);
        })).ToArray();
        await database.RunAsync(log, [.. Enumerable.Range(0, owners).Select(i => new ChaosConsumer(log, database.Source, 100 + i, 0.02))]);
        await done.CancelAsync();
        await Task.WhenAll(folders);
        await database.FoldAllAsync();
    }
}
