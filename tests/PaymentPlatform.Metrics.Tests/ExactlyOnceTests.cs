using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Metrics;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

public sealed class ExactlyOnceTests(PlatformFixture platform)
{
    [Theory]
    [InlineData(1, 0.0)]
    [InlineData(2, 0.05)]
    [InlineData(3, 0.3)]
    public async Task Run_PartitionsLostRevokedAndReassigned_EachEventOnce(int seed, double chaos)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = TestLog.Random(seed, partitions: 4, events: 6_000);
        var consumer = new ChaosConsumer(log, database.Source, seed, chaos);

        await database.RunAsync(log, consumer);

        Assert.Equal(chaos > 0, consumer.Upsets > 0);
        await database.AssertEqualsAsync(log);
    }

    [Theory]
    [InlineData(11, 2)]
    [InlineData(12, 3)]
    public async Task Run_SeveralOwnersOfAllPartitionsAtOnce_EachEventOnce(int seed, int owners)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = TestLog.Random(seed, partitions: 3, events: 5_000);
        var consumers = Enumerable.Range(0, owners).Select(i => new ChaosConsumer(log, database.Source, seed * 10 + i, 0.02)).ToArray();

        await database.RunAsync(log, consumers);

        // Stale owners met the fence.
        Assert.All(consumers, c => Assert.True(c.Rewinds > 0));
        await database.AssertEqualsAsync(log);
    }

    [Fact]
    public async Task Run_CommitsThatMeetTheFence_NotLoggedAsDone()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = TestLog.Random(61, partitions: 3, events: 2_000);
        var lines = new LogCollector();

        await database.RunAsync(log, [.. Enumerable.Range(0, 2).Select(i => MetricsDatabase.Loop(
            new ChaosConsumer(log, database.Source, 610 + i, 0), database.Source, new() { CommitInterval = TimeSpan.FromMilliseconds(2) }, database.Rules, logger: lines))]);

        Assert.True(lines.Count(LogLevel.Warning, "Another owner has moved on") > 0);
        var committed = lines.Lines.Select(l => Regex.Match(l.Text, "^Commit of ([0-9]+) events")).Where(m => m.Success).Sum(m => long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.Equal(log.All.Count(), committed);
    }

    [Theory]
    [InlineData(51, 1, 0.0)]
    [InlineData(52, 1, 0.2)]
    [InlineData(53, 3, 0.05)]
    public async Task Run_RepeatsOfIdempotencyKeys_EachEventOnce(int seed, int owners, double chaos)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = TestLog.RandomWithRepeats(seed, partitions: 3, events: 6_000);
        Assert.True(log.All.Count() - log.Counted.Count() > 1_000);

        await database.RunAsync(log, [.. Enumerable.Range(0, owners).Select(i => new ChaosConsumer(log, database.Source, seed * 10 + i, chaos))]);

        await database.AssertEqualsAsync(log);
    }

    [Fact]
    public async Task Run_ConnectionsTerminatedAtRandom_EachEventOnce()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = TestLog.RandomWithRepeats(21, partitions: 4, events: 20_000);
        using var done = new CancellationTokenSource();
        var killer = KillAsync(database, new(21), done.Token);

        await database.RunAsync(log, database.Source, new() { CommitInterval = TimeSpan.Zero }, new ChaosConsumer(log, database.Source, 21, 0, maxBatch: 10), new ChaosConsumer(log, database.Source, 22, 0, maxBatch: 10));
        await done.CancelAsync();

        Assert.True(await killer > 0);
        // What lies in the pool may have been ended by the last kill.
        database.Source.Clear();
        await database.AssertEqualsAsync(log);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_CommitsAnswerNeverArrives_EachEventOnce(bool tookEffect)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = TestLog.Random(31, partitions: 2, events: 2_000);
        using var proxy = new CuttingProxy(new(database.ConnectionString), "COMMIT\0", n => n % 4 == 0, forward: tookEffect);
        await using var through = NpgsqlDataSource.Create(proxy.ConnectionString);
        var consumer = new ChaosConsumer(log, database.Source, 31, 0);

        await database.RunAsync(log, through, new() { MaxBatchEvents = 50 }, consumer);

        Assert.True(proxy.Cuts > 2, $"{proxy.Cuts} commits were cut.");
        Assert.True(consumer.Rewinds > 2);
        await database.AssertEqualsAsync(log);
    }

    [Theory]
    [InlineData("MaxBatchEvents")]
    [InlineData("MaxFailedBytes")]
    [InlineData("MaxBatchKeys")]
    public async Task Run_BatchMeetsALimit_CommittedBeforeTheIntervalEnds(string limit)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = TestLog.Random(41, partitions: 2, events: 1_500);
        var options = new MetricsOptions { CommitInterval = TimeSpan.FromHours(1) };
        if (limit == "MaxBatchEvents")
            options.MaxBatchEvents = 100;
        else if (limit == "MaxFailedBytes")
            options.MaxFailedBytes = 1_000;
        else
            options.MaxBatchKeys = 20;
        using var stop = new CancellationTokenSource();
        using var abort = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var loop = MetricsDatabase.Loop(new ChaosConsumer(log, database.Source, 41, 0), database.Source, options, database.Rules).RunAsync(stop.Token, abort.Token);

        await Eventually.TrueAsync(async () => (await database.FiguresAsync()).Sum(f => f.Count) > 800, "most of the log is committed");
        // The rest waits for the hour, unless the service stops.
        await stop.CancelAsync();
        await loop;

        Assert.Equal(TestEvents.Figures(log.All.Select(m => m.Message.Message.Body.ToArray())).Sum(f => f.Count), (await database.FiguresAsync()).Sum(f => f.Count) + await LeftAsync(database, log));
    }

    /// <summary>Valid events that lie beyond the checkpoints.</summary>
    private static async Task<long> LeftAsync(MetricsDatabase database, TestLog log)
    {
        var checkpoints = (await database.QueryAsync("SELECT partition_id, next_offset FROM stream_checkpoints", r => (r.GetInt32(0), r.GetInt64(1)))).ToDictionary();
        return TestEvents.Figures(log.All.Where(m => m.Message.Offset >= checkpoints[m.Partition.PartitionId]).Select(m => m.Message.Message.Body.ToArray())).Sum(f => f.Count);
    }

    private static async Task<int> KillAsync(MetricsDatabase database, Random random, CancellationToken cancellationToken)
    {
        var kills = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            kills += (await database.QueryAsync(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'observer'", r => (int)r.GetInt64(0)))[0];
            await Task.Delay(random.Next(20, 200), CancellationToken.None);
        }

        return kills;
    }
}
