using System.Text;
using PaymentPlatform.Events;
using PaymentPlatform.Metrics;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Metrics.Tests;

public sealed class MetricsWriterTests(PlatformFixture platform)
{
    private static readonly DateTimeOffset At = TestEvents.Enqueued.AddMinutes(-10);

    [Fact]
    public async Task Commit_LateEvents_CorrectTheirWindow()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = new TestLog(1);
        log.Append(0, Utf8(TestEvents.Event("a", At, "10.5")));
        await database.RunAsync(log, new ChaosConsumer(log, database.Source, 1, 0));
        log.Append(0, Utf8(TestEvents.Event("b", At.AddDays(-400), "7")));
        log.Append(0, Utf8(TestEvents.Event("c", At, "0.0001")));
        await database.RunAsync(log, new ChaosConsumer(log, database.Source, 1, 0));

        Assert.Equal(
            [
                new(At.AddDays(-400).UtcDateTime, "credit_card", "USD", "completed", 1, 7m, 7m, 7m),
                new Figure(At.UtcDateTime, "credit_card", "USD", "completed", 2, 10.5001m, 0.0001m, 10.5m),
            ],
            await database.FiguresAsync());
    }

    [Theory]
    [InlineData("0001-01-01T00:00:01Z")]
    [InlineData("1969-12-31T23:59:59Z")]
    [InlineData("1582-10-04T00:00:00Z")]
    public async Task Commit_OldEvents_HaveTheirWindow(string moment)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = new TestLog(1);
        log.Append(0, Utf8(TestEvents.Event("a", DateTimeOffset.Parse(moment), "999999999999999.9999")));

        await database.RunAsync(log, new ChaosConsumer(log, database.Source, 1, 0));

        await database.AssertEqualsAsync(log);
        Assert.Single(await database.FiguresAsync());
    }

    [Fact]
    public async Task Commit_StalePartition_NothingTakesEffect()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = TestLog.Random(5, partitions: 2, events: 200);
        foreach (var partition in log.Partitions)
            await CheckpointAsync(database, partition, partition.PartitionId == 0 ? 0 : 3);

        var stale = await new MetricsWriter(database.Source).CommitAsync(Gather(log), CancellationToken.None);

        Assert.Equal([log.Partitions.Last()], stale);
        Assert.Empty(await database.FiguresAsync());
        Assert.Empty(await database.FailedAsync());
        Assert.Equal([0L, 3L], await database.QueryAsync("SELECT next_offset FROM stream_checkpoints ORDER BY partition_id", r => r.GetInt64(0)));
    }

    [Fact]
    public async Task Commit_SameKeysFromManyWriters_NoDeadlock()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var writer = new MetricsWriter(database.Source);
        const int writers = 4, commits = 40;
        var logs = Enumerable.Range(0, writers).Select(i => TestLog.Random(100 + i, partitions: 1, events: 400)).ToArray();

        await Task.WhenAll(logs.Select((log, i) => Task.Run(async () =>
        {
            var partition = new StreamPartition("payments", $"log-{i}", 0);
            await CheckpointAsync(database, partition, 0);
            for (var round = 0; round < commits; round++)
            {
                // The same events again at further offsets: all writers meet at the same rows.
                var batch = MetricsDatabase.Batch();
                batch.Add(new Shifted(partition, log, round * 10_000L), collectLinks: false);
                Assert.Empty(await writer.CommitAsync(batch, CancellationToken.None));
            }
        })));

        var expected = logs.SelectMany(log => log.All).Select(m => m.Message.Message.Body.ToArray()).ToList();
        Assert.Equal(TestEvents.Figures(Enumerable.Repeat(expected, commits).SelectMany(e => e)), await database.FiguresAsync());
    }

    [Fact]
    public async Task Commit_ReplaysAndResubmissions_OnlyReplaysAreLeftOut()
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = new TestLog(1);
        var replay = new MessageHeaders([new(HeaderNames.Origin, "replay"), new(HeaderNames.OriginId, "1")]);
        log.Append(0, Utf8(TestEvents.Event("a", At, "1")));
        log.Append(0, Utf8(TestEvents.Event("a", At, "2")), replay);
        log.Append(0, Utf8(TestEvents.Event("a", At, "4")), new([new(HeaderNames.Origin, "resubmission")]));
        log.Append(0, Utf8(TestEvents.Event("a", At, "8")), replay);
        log.Append(0, Utf8(TestEvents.Event("a", At, "16")), new([new(HeaderNames.Origin, "live")]));
        log.Append(0, Utf8(TestEvents.Event("a", At, "not a number")), messageId: "original");
        // It is a dead letter already.
        log.Append(0, Utf8(TestEvents.Event("a", At, "not a number")), replay, messageId: "original");
        log.Append(0, Utf8("not even JSON"), replay, messageId: "original");

        await database.RunAsync(log, new ChaosConsumer(log, database.Source, 1, 0));

        Assert.Equal(5, Assert.Single(await database.FailedAsync()).Offset);
        Assert.Equal([new Figure(At.UtcDateTime, "credit_card", "USD", "completed", 3, 21m, 1m, 16m)], await database.FiguresAsync());
    }

    [Theory]
    [InlineData(300, 600_000)]
    [InlineData(600_000, 300)]
    public async Task Commit_AnotherOwnerPausedInItsTransaction_GoesOnOnceTheServerHasEndedIt(int idleMilliseconds, int wholeMilliseconds)
    {
        await using var database = await MetricsDatabase.CreateAsync(platform);
        var log = TestLog.Random(6, partitions: 1, events: 100);
        var partition = log.Partitions.Single();
        await CheckpointAsync(database, partition, 0);
        await using var paused = await database.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(paused, TimeSpan.FromMilliseconds(idleMilliseconds), TimeSpan.FromMilliseconds(wholeMilliseconds), CancellationToken.None);
        Assert.Empty(await CheckpointStore.AdvanceAsync(transaction, MetricsWriter.ConsumerGroup, [new(partition, 0, log.End(0))], CancellationToken.None));

        // Without an end to the other's transaction this waits for the command's timeout, and fails.
        Assert.Empty(await new MetricsWriter(database.Source).CommitAsync(Gather(log), CancellationToken.None));

        await database.AssertFiguresAsync(log);
        await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => transaction.CommitAsync(TestContext.Current.CancellationToken));
    }

    internal static GatheredBatch Gather(TestLog log)
    {
        var batch = MetricsDatabase.Batch();
        foreach (var partition in log.Partitions)
            batch.Add(log.Read(partition, 0, int.MaxValue)!, collectLinks: false);
        return batch;
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static async Task CheckpointAsync(MetricsDatabase database, StreamPartition partition, long offset)
    {
        await using var connection = await database.Source.OpenConnectionAsync();
        await CheckpointStore.GetOrCreateAsync(connection, MetricsWriter.ConsumerGroup, partition, offset, CancellationToken.None);
    }

    private sealed class Shifted(StreamPartition partition, TestLog log, long by) : MessageBatch
    {
        public override StreamPartition Partition => partition;

        public override long FirstOffset => by;

        public override long NextOffset => by + 10_000;

        public override ReadOnlySpan<ReceivedMessage> Messages => log.All.Select(m => m.Message with { Offset = m.Message.Offset + by }).ToArray();

        public override long BodyBytes => 0;

        public override void Dispose()
        {
        }
    }
}
