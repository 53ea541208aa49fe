using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Storage.Database.Rules;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

/// <summary>A partition whose rules can't be restored waits, and the others go on.</summary>
public sealed class RefusedPartitionTests(PlatformFixture platform)
{
    private const string Readable = """
        rules:
          - name: all_events
            version: 1
            description: All events of a day.
            metric_type: count
            window: 1d
        """;

    [Fact]
    public async Task Run_VersionThatThisProcessCantRead_PartitionWaitsForOneThatItCan()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = await ReadOnceAsync(database);
        // A newer process took the partition, with rules that this one does not understand.
        await database.QueryAsync("INSERT INTO rule_versions (yaml, sha256, created_by) VALUES ('rules: [{ name: later, form: unheard_of }]', '', 'test') RETURNING 1", r => r.GetInt32(0));
        await database.QueryAsync("INSERT INTO rule_activations (stream, log_id, partition_id, from_offset, version) VALUES ('payments', 'log-1', 0, 1, 2) RETURNING 1", r => r.GetInt32(0));

        await RunAsync(database, log, "payments/log-1/0 works with version 2 of the rules", async () =>
        {
            Assert.Equal(["0|1", "1|2"], await ActivationsAsync(database));
            await using var connection = await database.Source.OpenConnectionAsync();
            await RuleVersionStore.AddAsync(connection, Readable, "test", null, onlyFirst: false, CancellationToken.None);
        });

        Assert.Equal(["0|1", "1|2", "10|3"], await ActivationsAsync(database));
    }

    [Fact]
    public async Task Run_StateThatIsDamaged_PartitionWaitsUntilItIsMended()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = await ReadOnceAsync(database);
        await database.QueryAsync("UPDATE rule_state_log SET payload = '\\x00' WHERE partition_id = 0 RETURNING 1", r => r.GetInt32(0));

        await RunAsync(database, log, "The rules' state of partition payments/log-1/0 is damaged", () => database.QueryAsync("DELETE FROM rule_state_log WHERE partition_id = 0 RETURNING 1", r => r.GetInt32(0)));
    }

    /// <summary>Ten events in each of two partitions, counted under the first version, and ten more that are not.</summary>
    private static async Task<TestLog> ReadOnceAsync(MetricsDatabase database)
    {
        var log = new TestLog(2);
        Append(log);
        await database.RunAsync(log, new ChaosConsumer(log, database.Source, 1, 0));
        Append(log);
        return log;
    }

    /// <summary>Runs a loop that refuses partition 0 until <paramref name="mend"/> is called.</summary>
    private static async Task RunAsync(MetricsDatabase database, TestLog log, string fault, Func<Task> mend)
    {
        var lines = new LogCollector();
        var consumer = new ChaosConsumer(log, database.Source, 2, 0);
        using var stop = new CancellationTokenSource();
        using var abort = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var elapsed = Stopwatch.StartNew();
        var loop = MetricsDatabase.Loop(consumer, database.Source, new(), database.Rules, logger: lines).RunAsync(stop.Token, abort.Token);

        await Eventually.TrueAsync(async () => loop.IsCompleted || await CheckpointAsync(database, 1) == log.End(1), "the other partition is read");
        await Eventually.TrueAsync(() => loop.IsCompleted || lines.Count(LogLevel.Error, fault) >= 3, "it is tried again, and said");
        if (loop.IsCompleted)
            await loop;
        Assert.Equal(10, await CheckpointAsync(database, 0));
        // The first wait is 25 ms at least, and none is shorter.
        Assert.InRange(consumer.Rewinds, 1, 1 + elapsed.ElapsedMilliseconds / 25);

        await mend();
        await Eventually.TrueAsync(async () => loop.IsCompleted || await CheckpointAsync(database, 0) == log.End(0), "the partition is read");
        await stop.CancelAsync();
        await loop;
        await database.AssertFiguresAsync(log);
    }

    private static async Task<long> CheckpointAsync(MetricsDatabase database, int partition) =>
        (await database.QueryAsync($"SELECT next_offset FROM stream_checkpoints WHERE partition_id = {partition}", r => r.GetInt64(0))).Single();

    private static void Append(TestLog log)
    {
        for (var i = 0; i < 20; i++)
            log.Append(i % 2, Encoding.UTF8.GetBytes(TestEvents.Event($"t-{i}", TestEvents.Enqueued, "1")));
    }

    /// <summary>Of partition 0: offset and version.</summary>
    private static Task<List<string>> ActivationsAsync(MetricsDatabase database) =>
        database.QueryAsync("SELECT concat_ws('|', from_offset, version) FROM rule_activations WHERE partition_id = 0 ORDER BY from_offset", r => r.GetString(0));
}
