using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.Kafka;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Kafka;

/// <summary>What only this transport has: the brokers' own groups, retention that waits for nobody, logs without an id.</summary>
public sealed class KafkaConsumerTests(PlatformFixture platform) : IAsyncDisposable
{
    private KafkaStreamFixture? _fixture;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rebalance_ThreeConsumersOneKilledOnePaused_EveryMessageInExactlyOneCommittedBatch()
    {
        var fixture = await CreateAsync();
        fixture.Kafka.Settings["max.poll.interval.ms"] = "3000";
        await using var publisher = fixture.CreatePublisher();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var published = 0;
        var traffic = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await publisher.PublishAsync(Messages.Numbered(published, 20));
                published += 20;
                await Task.Delay(10, CancellationToken.None);
            }
        }, Cancellation);
        using var time = new PausableTime();
        await using var steady = await TestReader.CreateAsync(fixture, "three");
        await using var paused = new TestReader(await fixture.CreateConsumers(time).CreateAsync("three", Cancellation), fixture, "three");
        var killed = await TestReader.CreateAsync(fixture, "three");
        List<TestReader> readers = [steady, paused, killed];
        await AllUntilAsync(readers, () => readers.All(r => r.Owned.Count > 0 && r.Seen.Count > 0) && readers.Sum(r => r.Owned.Count) == StreamFixture.Partitions);

        // The one has a batch in hand when it is stopped in its tracks, the other is gone without a word.
        using var held = await HoldAsync(paused);
        var lost = killed.Owned.Keys.Concat(paused.Owned.Keys).ToHashSet();
        time.Pause();
        await paused.Consumer.RewindAsync(held.Partition, Cancellation);
        await Eventually.TrueAsync(() => time.IsHolding, "the polling thread stands");
        await ((KafkaMessageConsumer)killed.Consumer).AbandonAsync();
        await steady.UntilOwnsAsync(StreamFixture.Partitions);
        await AllUntilAsync([steady], () => lost.All(p => steady.Seen.Any(m => m.Partition == p)));
        await steady.UntilAsync(() => steady.Owned[held.Partition] > held.NextOffset, "the held batch was read by the other");
        Assert.Equal([held.Partition], await fixture.CommitAsync("three", new OffsetRange(held.Partition, held.FirstOffset, held.NextOffset)));

        time.Continue();
        var before = paused.Seen.Count;
        readers = [steady, paused];
        await AllUntilAsync(readers, () => readers.All(r => r.Owned.Count == StreamFixture.Partitions / 2) && paused.Seen.Count > before);
        await stop.CancelAsync();
        await traffic;
        await AllUntilAsync(readers, () => killed.Seen.Count + readers.Sum(r => r.Seen.Count) >= published);

        var all = readers.Append(killed).SelectMany(r => r.Seen).ToList();
        Assert.Equal(published, all.Count);
        Assert.Equal(published, all.Select(m => m.Text).Distinct().Count());
        Assert.Equal(published, all.Select(m => (m.Partition, m.Offset)).Distinct().Count());
    }

    [Fact]
    public async Task Revoke_CallerThatDoesNotRelease_LosesThePartitionsInTheEnd()
    {
        var fixture = await CreateAsync();
        fixture.Kafka.Settings["max.poll.interval.ms"] = "3000";
        await using var first = await TestReader.CreateAsync(fixture, "deaf");
        await first.UntilOwnsAsync(StreamFixture.Partitions);

        await using var second = await TestReader.CreateAsync(fixture, "deaf");
        await second.UntilOwnsAsync(StreamFixture.Partitions / 2);
        // It hears of it now: revoking was said, and then that it is too late.
        var events = new List<ConsumerEvent>();
        while (await first.Consumer.ReadAsync(TimeSpan.Zero, Cancellation) is { } next)
            events.Add(next);

        var lost = events.OfType<ConsumerEvent.Lost>().Select(l => l.Partition).ToList();
        Assert.Equal(second.Owned.Keys.Order(), lost.Order());
        Assert.Equal(lost.Order(), events.OfType<ConsumerEvent.Revoking>().Select(l => l.Partition).Order());
    }

    [Fact]
    public async Task Read_RetentionPassedTheCheckpoint_GoesOnAtTheBeginningAndRecordsTheGap()
    {
        var fixture = await CreateAsync();
        await using var publisher = fixture.CreatePublisher();
        await PublishToOneAsync(publisher, 0, 10);
        int partition;
        await using (var reader = await TestReader.CreateAsync(fixture, "late"))
        {
            await reader.UntilSeenAsync(10);
            partition = reader.Seen[0].Partition.PartitionId;
            await reader.StopAsync();
        }

        await PublishToOneAsync(publisher, 10, 20);
        fixture.Broker.DeleteRecords("payments", partition, 15);
        await using var next = await TestReader.CreateAsync(fixture, "late");
        await next.UntilSeenAsync(15);

        Assert.Equal(Enumerable.Range(15, 15).Select(i => $"{i}"), next.Seen.Select(m => m.Text));
        Assert.Equal("late/10-15", await GapsAsync(fixture));
    }

    [Fact]
    public async Task Read_RetentionOvertakesTheReader_GoesOnBehindTheGapAndRecordsIt()
    {
        var fixture = await CreateAsync();
        (fixture.Options.PrefetchBytes, fixture.Options.PrefetchBytesPerPartition) = (1 << 20, 1 << 20);
        await using var publisher = fixture.CreatePublisher();
        await using var reader = await TestReader.CreateAsync(fixture, "slow");
        await reader.UntilOwnsAsync(StreamFixture.Partitions);
        const int count = 45;
        for (var i = 0; i < count; i++)
            await publisher.PublishAsync(Messages.Of(new byte[100_000], key: "one", id: $"{i}"));
        await reader.UntilSeenAsync(1);

        // More than it can have read ahead.
        fixture.Broker.DeleteRecords("payments", reader.Seen[0].Partition.PartitionId, count - 1);
        await reader.UntilAsync(() => reader.Seen[^1].Offset == count - 1, "the last message");

        var first = reader.Seen.TakeWhile((m, i) => m.Offset == i).Count();
        Assert.Equal(first + 1, reader.Seen.Count);
        Assert.Equal($"slow/{first}-{count - 1}", await GapsAsync(fixture));
    }

    [Fact]
    public async Task Read_SlowCaller_IsNotReadAheadWithoutBound()
    {
        var fixture = await CreateAsync();
        (fixture.Options.PrefetchBytes, fixture.Options.PrefetchBytesPerPartition) = (2 << 20, 1 << 20);
        await using var publisher = fixture.CreatePublisher();
        // 4 partitions of 4 MB.
        for (var i = 0; i < 160; i++)
            await publisher.PublishAsync(Messages.Of(new byte[100_000], key: $"{i}", id: $"{i}"));
        await using var reader = await TestReader.CreateAsync(fixture, "slow");
        await reader.UntilOwnsAsync(StreamFixture.Partitions);
        var before = GC.GetTotalMemory(true);
        Assert.False(await IsTooMuchAsync(before));

        await reader.UntilSeenAsync(160);
        Assert.Equal(160, reader.Seen.Select(m => m.MessageId).Distinct().Count());

        static async Task<bool> IsTooMuchAsync(long before)
        {
            // Well past the moment in which it waits for room before it pauses.
            await Task.Delay(1500, Cancellation);
            return GC.GetTotalMemory(true) - before > 8 << 20;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Recreate_BrokersGiveNoTopicIds_IsNoticedWhenTheLogIsShorter(bool isInUse)
    {
        var fixture = await CreateAsync(describesTopics: false);
        await using var publisher = fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Numbered(0, 100));
        var reader = await TestReader.CreateAsync(fixture, "plain");
        await reader.UntilSeenAsync(100);
        var old = reader.Seen[0].Partition.LogId;
        Assert.StartsWith("cluster-mockCluster", old);
        if (!isInUse)
            await reader.StopAsync();

        await fixture.RecreateAsync();
        await publisher.PublishAsync(Messages.Numbered(500, 12));
        if (!isInUse)
        {
            await reader.DisposeAsync();
            reader = await TestReader.CreateAsync(fixture, "plain");
        }

        await reader.UntilAsync(() => reader.Seen.Count(m => int.Parse(m.Text) >= 500) >= 12, "the new log is read");
        Assert.Equal(Enumerable.Range(500, 12), reader.Seen.Select(m => int.Parse(m.Text)).Where(i => i >= 500).Order());
        Assert.All(reader.Seen.Where(m => int.Parse(m.Text) >= 500), m => Assert.Equal($"{old}~2", m.Partition.LogId));
        await reader.DisposeAsync();
    }

    [Fact]
    public async Task Read_CheckpointBeyondTheEnd_IsTakenForANewLogReadFromItsBeginning()
    {
        var fixture = await CreateAsync();
        await using var publisher = fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Numbered(0, 40));
        await using (var reader = await TestReader.CreateAsync(fixture, "ahead"))
        {
            await reader.UntilSeenAsync(40);
            var (partition, next) = reader.Owned.First();
            Assert.Empty(await fixture.CommitAsync("ahead", new OffsetRange(partition, next, next + 1000)));
        }

        await using var again = await TestReader.CreateAsync(fixture, "ahead");
        await again.UntilSeenAsync(40);

        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"{i}").Order(), again.Seen.Select(m => m.Text).Order());
        Assert.All(again.Seen, m => Assert.EndsWith("~2", m.Partition.LogId));
    }

    [Fact]
    public async Task Read_Always_KeepsTheMirrorFromWhichLagIsMade()
    {
        var fixture = await CreateAsync();
        await using var publisher = fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Numbered(0, 30));
        var reader = await TestReader.CreateAsync(fixture, "lag", commits: false);
        await reader.UntilSeenAsync(30);

        await UntilAsync("SELECT sum(lag)::bigint = 30 AND count(owner) = 4 AND count(DISTINCT owner) = 1 FROM stream_lag WHERE consumer_group = 'lag'");
        Assert.Empty(await fixture.CommitAsync("lag", [.. reader.Owned.Select(o => new OffsetRange(o.Key, 0, o.Value)).Where(r => r.To > 0)]));
        await UntilAsync("SELECT sum(lag)::bigint = 0 FROM stream_lag WHERE consumer_group = 'lag'");
        await reader.StopAsync();
        await reader.DisposeAsync();
        await UntilAsync("SELECT count(owner) = 0 FROM stream_lag WHERE consumer_group = 'lag'");

        Task UntilAsync(string condition) => Eventually.TrueAsync(async () => await fixture.ScalarAsync<bool>(condition), condition);
    }

    [Fact]
    public async Task ReadRange_PartOfAPartition_IsThatPartAndOutsideIsRefused()
    {
        var fixture = await CreateAsync();
        await using var publisher = fixture.CreatePublisher();
        await PublishToOneAsync(publisher, 0, 50);
        StreamPartition partition;
        await using (var reader = await TestReader.CreateAsync(fixture, "range"))
        {
            await reader.UntilSeenAsync(50);
            partition = reader.Seen[0].Partition;
        }

        var ranges = fixture.CreateRangeReader();
        Assert.Equal(Enumerable.Range(10, 30).Select(i => $"{i}"), await TextsAsync(new(partition, 10, 40)));
        await Assert.ThrowsAsync<StreamRangeGoneException>(() => TextsAsync(new(partition, 10, 51)));
        await Assert.ThrowsAsync<StreamRangeGoneException>(() => TextsAsync(new(partition with { LogId = "another" }, 10, 20)));
        fixture.Broker.DeleteRecords("payments", partition.PartitionId, 11);
        await Assert.ThrowsAsync<StreamRangeGoneException>(() => TextsAsync(new(partition, 10, 20)));

        async Task<List<string>> TextsAsync(OffsetRange range)
        {
            var texts = new List<string>();
            await foreach (var batch in ranges.ReadAsync(range, Cancellation))
            {
                using (batch)
                    texts.AddRange(batch.Messages.ToArray().Select(m => m.Message.Body.Text()));
            }

            return texts;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_fixture is not null)
            await _fixture.DisposeAsync();
    }

    private async Task<KafkaStreamFixture> CreateAsync(bool describesTopics = true) => _fixture = await KafkaStreamFixture.CreateAsync(platform, describesTopics);

    private static Task PublishToOneAsync(MessagePublisher publisher, int first, int count) =>
        publisher.PublishAsync([.. Enumerable.Range(first, count).Select(i => Messages.Of($"{i}", key: "one"))]).AsTask();

    private static async Task<string> GapsAsync(KafkaStreamFixture fixture) =>
        await fixture.ScalarAsync<string>("SELECT coalesce(string_agg(consumer_group || '/' || first_offset || '-' || next_offset, ', ' ORDER BY 1), '') FROM stream_gaps");

    private static async Task<MessageBatch> HoldAsync(TestReader reader)
    {
        while (true)
        {
            if (await reader.Consumer.ReadAsync(TimeSpan.FromSeconds(30), Cancellation) is ConsumerEvent.Received received)
                return received.Batch;
        }
    }

    private static async Task AllUntilAsync(IReadOnlyList<TestReader> readers, Func<bool> condition)
    {
        var done = false;
        await Task.WhenAll(readers.Select(r => r.UntilAsync(() => done || (done = condition()), "all readers' condition")));
    }
}
