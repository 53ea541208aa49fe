using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

public sealed class MetricPartitionsTests(PlatformFixture platform)
{
    [Fact]
    public async Task Maintain_DaysGoBy_MadeAheadOnce()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var time = new FakeTimeProvider(new(2031, 5, 1, 12, 0, 0, TimeSpan.Zero));
        var partitions = new MetricPartitions(database.Source, TimeSpan.Zero, time);

        Assert.Equal((4 * MetricPartitions.Tables.Count, 0), await partitions.MaintainAsync(CancellationToken.None));
        Assert.Equal((0, 0), await partitions.MaintainAsync(CancellationToken.None));
        time.Advance(TimeSpan.FromDays(1));
        Assert.Equal((MetricPartitions.Tables.Count, 0), await partitions.MaintainAsync(CancellationToken.None));

        await InsertAsync(database, "2031-05-02 10:00Z");
        Assert.Equal(["payment_metrics_5m_20310502"], await WhereAsync(database));
        // As a rule of each day: half of a page stays free for updates in place, and no sketch is compressed.
        Assert.Equal(["e", "e"], await database.QueryAsync("SELECT attstorage FROM pg_attribute WHERE attrelid = 'payment_metrics_5m_20310502'::regclass AND attname LIKE '%_sketch'", r => r.GetChar(0).ToString()));
        Assert.Equal(["fillfactor=50"], await database.QueryAsync("SELECT reloptions[1] FROM pg_class WHERE relname = 'payment_metrics_5m_20310502'", r => r.GetString(0)));
    }

    [Fact]
    public async Task Maintain_RowsOfTheDayInTheDefault_MoveIntoItsPartition()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        await InsertAsync(database, "2031-05-02 10:00Z");
        await InsertAsync(database, "2031-05-02 23:55Z");
        await InsertAsync(database, "2031-07-01 00:00Z");
        await InsertAsync(database, "0001-01-01 00:00Z");
        var before = await database.FiguresAsync();

        await new MetricPartitions(database.Source, TimeSpan.Zero, new FakeTimeProvider(new(2031, 5, 1, 0, 0, 0, TimeSpan.Zero))).MaintainAsync(CancellationToken.None);

        Assert.Equal(["payment_metrics_5m_20310502", "payment_metrics_5m_20310502", "payment_metrics_5m_default", "payment_metrics_5m_default"], await WhereAsync(database));
        Assert.Equal(before, await database.FiguresAsync());
    }

    [Fact]
    public async Task Maintain_Retention_DropsWholeDaysAndOldRowsOfTheDefault()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var time = new FakeTimeProvider(new(2031, 5, 1, 23, 0, 0, TimeSpan.Zero));
        var partitions = new MetricPartitions(database.Source, TimeSpan.FromDays(10), time);
        await partitions.MaintainAsync(CancellationToken.None);
        foreach (var moment in (string[])["2031-05-01 00:00Z", "2031-05-02 23:55Z", "2031-05-04 00:00Z", "2031-04-20 23:55Z"])
            await InsertAsync(database, moment);

        // Ten days after the 2nd of May: the 1st and the 2nd... the day at the edge stays whole.
        time.Advance(TimeSpan.FromDays(11));
        var (_, dropped) = await partitions.MaintainAsync(CancellationToken.None);

        // 30 April and 1 May of each table, and what the migration made for today.
        Assert.True(dropped >= 2 * MetricPartitions.Tables.Count, $"{dropped}");
        Assert.Equal([new DateTime(2031, 5, 2, 23, 55, 0), new DateTime(2031, 5, 4)], (await database.FiguresAsync()).Select(f => f.Window));
    }

    [Fact]
    public async Task Maintain_StreamMadeAgain_RuleStateOfTheLogBeforeGoes()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        await database.QueryAsync("INSERT INTO stream_logs (stream, log_id, partition_count) VALUES ('payments', 'log-2', 2) RETURNING 1", r => r.GetInt32(0));
        // Of the other stream nobody knows the log: it may come again.
        foreach (var (stream, log) in ((string, string)[])[("payments", "log-1"), ("payments", "log-2"), ("other", "log-3")])
        {
            foreach (var (table, columns, values) in RuleTables)
                await database.QueryAsync($"INSERT INTO {table} (stream, log_id, partition_id, {columns}) VALUES ('{stream}', '{log}', 0, {values}) RETURNING 1", r => r.GetInt32(0));
        }

        await new MetricPartitions(database.Source, TimeSpan.Zero, TimeProvider.System).MaintainAsync(CancellationToken.None);

        foreach (var (table, _, _) in RuleTables)
            Assert.Equal(["log-2", "log-3"], await database.QueryAsync($"SELECT log_id FROM {table} ORDER BY 1", r => r.GetString(0)));
    }

    [Fact]
    public async Task Maintain_NoRetention_KeepsAll()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        await InsertAsync(database, "0001-01-01 00:00Z");
        await new MetricPartitions(database.Source, TimeSpan.Zero, TimeProvider.System).MaintainAsync(CancellationToken.None);
        Assert.Single(await database.FiguresAsync());
    }

    [Fact]
    public async Task Maintain_ManyProcessesAtOnce_EachDayOnce()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var time = new FakeTimeProvider(new(2031, 5, 1, 0, 0, 0, TimeSpan.Zero));
        var made = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => new MetricPartitions(database.Source, TimeSpan.FromDays(1), time).MaintainAsync(CancellationToken.None))));
        var (rest, _) = await new MetricPartitions(database.Source, TimeSpan.FromDays(1), time).MaintainAsync(CancellationToken.None);
        Assert.Equal(4 * MetricPartitions.Tables.Count, made.Sum(m => m.Made) + rest);
    }

    private static readonly (string Table, string Columns, string Values)[] RuleTables =
        [("rule_state_log", "next_offset, payload", "5, ''"), ("rule_state_snapshots", "next_offset, payload", "4, ''"), ("rule_activations", "from_offset, version", "0, 1")];

    private static Task<List<string>> WhereAsync(MetricsDatabase database) => database.QueryAsync("SELECT tableoid::regclass::text FROM payment_metrics_5m ORDER BY 1", r => r.GetString(0));

    private static Task InsertAsync(MetricsDatabase database, string start) => database.QueryAsync(
        $"""
        INSERT INTO payment_metrics_5m (window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount)
        VALUES ('{start}', TIMESTAMPTZ '{start}' + interval '5 minutes', 'credit_card', 'EUR', 'completed', 2, 7.5, 1, 4) RETURNING total_count
        """,
        r => r.GetInt64(0));
}
