using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Tests;

/// <summary>What every transport must do. A transport inherits it and gives a <see cref="StreamFixture"/>.</summary>
public abstract class StreamConformance : IAsyncLifetime
{
    private StreamFixture? _fixture;

    protected StreamFixture Fixture => _fixture!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A stream of its own, with leases of about two seconds where the transport has such a thing.</summary>
    protected abstract Task<StreamFixture> CreateFixtureAsync();

    public async ValueTask InitializeAsync() => _fixture = await CreateFixtureAsync();

    public async ValueTask DisposeAsync()
    {
        if (_fixture is not null)
            await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task Publish_ManyKeys_KeepsEachKeysOrderInOnePartition()
    {
        await using var publisher = Fixture.CreatePublisher();
        for (var round = 0; round < 20; round++)
            await publisher.PublishAsync([.. Enumerable.Range(0, 50).Select(i => Messages.Of($"{round}-{i / 10}", key: $"customer-{i % 10}"))]);

        await using var reader = await TestReader.CreateAsync(Fixture, "order");
        await reader.UntilSeenAsync(1000);

        Assert.Equal(1000, reader.Seen.Count);
        Assert.True(reader.Seen.Select(m => m.Partition).Distinct().Count() > 1, "all keys in one partition");
        foreach (var key in reader.Seen.GroupBy(m => m.Key))
        {
            Assert.Single(key.Select(m => m.Partition).Distinct());
            Assert.Equal(Enumerable.Range(0, 20).SelectMany(r => Enumerable.Range(0, 5).Select(i => $"{r}-{i}")), key.Select(m => m.Text));
            Assert.Equal(key.Select(m => m.Offset).Order().Distinct(), key.Select(m => m.Offset));
        }
    }

    [Fact]
    public async Task Publish_WithoutKeys_SpreadsCallsOverPartitions()
    {
        await using var publisher = Fixture.CreatePublisher();
        for (var i = 0; i < 40; i++)
            await publisher.PublishAsync(Messages.Of($"{i}"));

        await using var reader = await TestReader.CreateAsync(Fixture, "spread");
        await reader.UntilSeenAsync(40);

        Assert.Equal(StreamFixture.Partitions, reader.Seen.Select(m => m.Partition).Distinct().Count());
    }

    [Fact]
    public async Task Publish_AnyBytes_ArriveAsSent()
    {
        var headers = new MessageHeaders([new("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), new("origin", "replay")]);
        var other = new MessageHeaders([new("origin_id", "ünïcødé ✓"), new("empty", "")]);
        var random = new Random(7);
        var bytes = new byte[5000];
        random.NextBytes(bytes);
        Message[] sent =
        [
            Messages.Of(bytes, key: "ключ", id: "id-1", correlation: "корреляция", headers: headers),
            Messages.Of("", key: "k", id: "id-2"),
            Messages.Of("{\"a\":\"\\u0000\"}", id: "id-3", correlation: "c", headers: other),
            Messages.Of([0, 255, 10, 13], key: "k", id: "id-4", headers: new MessageHeaders([new("origin", "replay"), new("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")])),
        ];
        var before = DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds() * 1000;
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync(sent);

        await using var reader = await TestReader.CreateAsync(Fixture, "bytes");
        await reader.UntilSeenAsync(sent.Length);

        foreach (var message in sent)
        {
            var received = Assert.Single(reader.Seen, m => m.MessageId == message.MessageId.Text());
            Assert.Equal(message.Body.ToArray(), received.Body);
            Assert.Equal(message.CorrelationId.Text(), received.CorrelationId);
            Assert.Equal(message.PartitionKey.Text(), received.Key);
            Assert.Equal(message.Headers, received.Headers);
            Assert.InRange(received.EnqueuedAtMicros, before, before + 120_000_000);
        }
    }

    [Fact]
    public async Task Publish_LargestAndEmptyBodies_Arrive()
    {
        var random = new Random(3);
        var bodies = Enumerable.Range(0, 6).Select(i => new byte[i % 2 == 0 ? Fixture.LargestBody : 0]).ToArray();
        foreach (var body in bodies)
            random.NextBytes(body);
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync([.. bodies.Select((b, i) => Messages.Of(b, id: $"{i}", key: "one"))]);

        await using var reader = await TestReader.CreateAsync(Fixture, "large");
        await reader.UntilSeenAsync(bodies.Length);

        Assert.Equal(Enumerable.Range(0, 6).Select(i => $"{i}"), reader.Seen.Select(m => m.MessageId));
        Assert.All(reader.Seen, (m, i) => Assert.True(bodies[i].AsSpan().SequenceEqual(m.Body)));
    }

    [Fact]
    public async Task Publish_BodyBeyondTheLimit_ThrowsAndTakesNothing()
    {
        await using var publisher = Fixture.CreatePublisher();

        var error = await Assert.ThrowsAsync<MessageTooLargeException>(async () =>
            await publisher.PublishAsync(Messages.Of("small"), Messages.Of(new byte[(1 << 20) + 1])));

        Assert.Equal(((1 << 20) + 1, 1), (error.Size, error.Index));
        await publisher.PublishAsync(Messages.Of("after"));
        await using var reader = await TestReader.CreateAsync(Fixture, "limit");
        await reader.UntilSeenAsync(1);
        Assert.Equal("after", Assert.Single(reader.Seen).Text);
    }

    [Fact]
    public async Task Publish_Nothing_ReturnsNothing()
    {
        await using var publisher = Fixture.CreatePublisher();

        Assert.Empty(await publisher.PublishAsync([]));
    }

    [Fact]
    public async Task Publish_ManySmallAndFewLargeCallsAtOnce_AllArriveOnce()
    {
        await using var publisher = Fixture.CreatePublisher();
        var small = Enumerable.Range(0, 500).Select(i => publisher.PublishAsync(Messages.Of($"{i}", key: $"{i % 7}")).AsTask());
        var large = Enumerable.Range(0, 4).Select(i => publisher.PublishAsync(Messages.Numbered(10_000 + i * 15_000, 15_000)).AsTask());
        await Task.WhenAll(small.Concat(large));

        await using var reader = await TestReader.CreateAsync(Fixture, "sizes");
        await reader.UntilSeenAsync(60_500);

        Assert.Equal(60_500, reader.Seen.Count);
        Assert.Equal(60_500, reader.Seen.Select(m => m.Text).Distinct().Count());
    }

    [Fact]
    public async Task Read_AfterRestart_ResumesAtTheCheckpoint()
    {
        await using var publisher = Fixture.CreatePublisher();
        var seen = new List<Received>();
        for (var round = 0; round < 5; round++)
        {
            await publisher.PublishAsync(Messages.Numbered(round * 100, 100));
            await using var reader = await TestReader.CreateAsync(Fixture, "resume");
            await reader.UntilSeenAsync(100);
            if (round % 2 == 0)
                await reader.StopAsync();
            seen.AddRange(reader.Seen);
        }

        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{i}").Order(), seen.Select(m => m.Text).Order());
        // Each partition without a gap.
        foreach (var partition in seen.GroupBy(m => m.Partition))
            Assert.Equal(partition.Count(), partition.Select(m => m.Offset).Distinct().Count());
    }

    [Fact]
    public async Task Read_CheckpointInsideABatch_ResumesAtThatOffset()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync([.. Enumerable.Range(0, 10).Select(i => Messages.Of($"{i}", key: "one"))]);
        await using (var first = await TestReader.CreateAsync(Fixture, "inside", commits: false))
        {
            await first.UntilSeenAsync(10);
            var message = first.Seen[3];
            Assert.Empty(await Fixture.CommitAsync("inside", new OffsetRange(message.Partition, first.Seen[0].Offset, message.Offset + 1)));
        }

        await using var second = await TestReader.CreateAsync(Fixture, "inside");
        await second.UntilSeenAsync(6);

        Assert.Equal(["4", "5", "6", "7", "8", "9"], second.Seen.Select(m => m.Text));
    }

    [Fact]
    public async Task Read_TwoGroups_EachSeesEverything()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Numbered(0, 50));
        await using var archiver = await TestReader.CreateAsync(Fixture, "archiver");
        await using var metrics = await TestReader.CreateAsync(Fixture, "metrics");

        await archiver.UntilSeenAsync(50);
        await metrics.UntilSeenAsync(50);

        Assert.Equal(archiver.Seen.Select(m => m.Text).Order(), metrics.Seen.Select(m => m.Text).Order());
    }

    [Fact]
    public async Task Read_WaitingConsumer_GetsWhatIsPublished()
    {
        await using var publisher = Fixture.CreatePublisher();
        await using var reader = await TestReader.CreateAsync(Fixture, "waiting");
        await reader.UntilOwnsAsync(StreamFixture.Partitions);
        var read = reader.UntilSeenAsync(1);

        await publisher.PublishAsync(Messages.Of("now"));

        await read;
        Assert.Equal("now", Assert.Single(reader.Seen).Text);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Rebalance_OwnersComeAndGo_EveryMessageInExactlyOneCommittedBatch(int owners)
    {
        await using var publisher = Fixture.CreatePublisher();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var published = 0;
        var traffic = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await publisher.PublishAsync(Messages.Numbered(published, 20));
                published += 20;
                await Task.Delay(5, CancellationToken.None);
            }
        }, Cancellation);

        var readers = new List<TestReader> { await TestReader.CreateAsync(Fixture, "share") };
        await readers[0].UntilOwnsAsync(StreamFixture.Partitions);
        await readers[0].UntilSeenAsync(200);
        while (readers.Count < owners)
            readers.Add(await TestReader.CreateAsync(Fixture, "share"));
        // Everybody has a fair share, and gets its messages.
        await AllUntilAsync(readers, () => readers.All(r => r.Owned.Count is >= 1 and <= (StreamFixture.Partitions + 1) / 2) && readers.Sum(r => r.Owned.Count) == StreamFixture.Partitions);
        var before = readers.Select(r => r.Seen.Count).ToArray();
        await AllUntilAsync(readers, () => readers.Select((r, i) => r.Seen.Count > before[i]).All(x => x));
        // One leaves in good order, the others take over.
        var last = readers[^1];
        last.Consumer.Stop();
        await AllUntilAsync(readers, () => last.Consumer.IsStopped && readers.Sum(r => r.Owned.Count) == StreamFixture.Partitions);
        await stop.CancelAsync();
        await traffic;
        await AllUntilAsync(readers, () => readers.Sum(r => r.Seen.Count) >= published);

        var all = readers.SelectMany(r => r.Seen).ToList();
        Assert.Equal(published, all.Count);
        Assert.Equal(published, all.Select(m => m.Text).Distinct().Count());
        Assert.Equal(published, all.Select(m => (m.Partition, m.Offset)).Distinct().Count());
        foreach (var reader in readers)
            await reader.DisposeAsync();
    }

    [Fact]
    public async Task Stop_OwnerOfAll_HandsOverAtOnce()
    {
        await using var publisher = Fixture.CreatePublisher();
        var first = await TestReader.CreateAsync(Fixture, "handover");
        await first.UntilOwnsAsync(StreamFixture.Partitions);
        await using var second = await TestReader.CreateAsync(Fixture, "handover");
        await AllUntilAsync([first, second], () => first.Owned.Count == 2 && second.Owned.Count == 2);

        first.Consumer.Stop();
        Assert.False(first.Consumer.IsStopped);
        await first.UntilAsync(() => first.Consumer.IsStopped, "stopped");
        Assert.Null(await first.Consumer.ReadAsync(TimeSpan.FromMinutes(1), Cancellation));
        var began = DateTimeOffset.UtcNow;
        await second.UntilOwnsAsync(StreamFixture.Partitions);

        // Well below any lease: it was told, not left to find out.
        Assert.True(DateTimeOffset.UtcNow - began < TimeSpan.FromSeconds(1.5));
        await first.DisposeAsync();
    }

    [Fact]
    public async Task Commit_ByStaleOwner_ReportsThePartitionAndMovesNothing()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync([.. Enumerable.Range(0, 10).Select(i => Messages.Of($"{i}", key: "one"))]);
        var old = await TestReader.CreateAsync(Fixture, "fence", commits: false);
        await old.UntilSeenAsync(10);
        var partition = old.Seen[0].Partition;
        var range = new OffsetRange(partition, old.Seen[0].Offset, old.Seen[^1].Offset + 1);
        await old.DisposeAsync();
        await using var next = await TestReader.CreateAsync(Fixture, "fence");
        await next.UntilSeenAsync(10);

        var stale = await Fixture.CommitAsync("fence", range);

        Assert.Equal([partition], stale);
        await publisher.PublishAsync(Messages.Of("10", key: "one"));
        await next.UntilSeenAsync(11);
        Assert.Equal("10", next.Seen[^1].Text);
    }

    [Fact]
    public async Task Commit_OneOfTwoPartitionsStale_MovesNeither()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Numbered(0, 100));
        await using var reader = await TestReader.CreateAsync(Fixture, "two", commits: false);
        await reader.UntilSeenAsync(100);
        var begun = reader.Announced.OfType<ConsumerEvent.Assigned>().ToDictionary(a => a.Partition, a => a.NextOffset);
        var ranges = reader.Owned.Select(o => new OffsetRange(o.Key, begun[o.Key], o.Value)).Where(r => r.To > r.From).Take(2).ToArray();
        Assert.Empty(await Fixture.CommitAsync("two", ranges[0]));

        var stale = await Fixture.CommitAsync("two", ranges);

        Assert.Equal([ranges[0].Partition], stale);
        Assert.Empty(await Fixture.CommitAsync("two", ranges[1]));
    }

    [Fact]
    public async Task Rewind_AfterReading_ReadsAgainFromTheCheckpoint()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync([.. Enumerable.Range(0, 10).Select(i => Messages.Of($"{i}", key: "one"))]);
        await using var reader = await TestReader.CreateAsync(Fixture, "rewind", commits: false);
        await reader.UntilOwnsAsync(StreamFixture.Partitions);
        await reader.UntilSeenAsync(10);
        var partition = reader.Seen[0].Partition;

        await reader.Consumer.RewindAsync(partition, Cancellation);
        reader.Announced.Clear();
        await reader.UntilSeenAsync(20);

        Assert.Equal(Enumerable.Range(0, 10).Concat(Enumerable.Range(0, 10)).Select(i => $"{i}"), reader.Seen.Select(m => m.Text));
        Assert.Equal(new ConsumerEvent.Assigned(partition, reader.Seen[0].Offset), Assert.Single(reader.Announced));
    }

    [Fact]
    public async Task Hold_MoreArrives_NothingComesUntilTheRewind()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync([.. Enumerable.Range(0, 10).Select(i => Messages.Of($"{i}", key: "one"))]);
        await using var reader = await TestReader.CreateAsync(Fixture, "hold", commits: false);
        await reader.UntilOwnsAsync(StreamFixture.Partitions);
        await reader.UntilSeenAsync(10);
        var partition = reader.Seen[0].Partition;

        reader.Consumer.Hold(partition);
        await publisher.PublishAsync([.. Enumerable.Range(10, 5).Select(i => Messages.Of($"{i}", key: "one"))]);
        Assert.True(await reader.IsQuietAsync(TimeSpan.FromSeconds(1)));
        await reader.Consumer.RewindAsync(partition, Cancellation);
        await reader.UntilSeenAsync(25);

        Assert.Equal(Enumerable.Range(0, 10).Concat(Enumerable.Range(0, 15)).Select(i => $"{i}"), reader.Seen.Select(m => m.Text));
    }

    [Fact]
    public async Task Recreate_StreamInUse_IsReadFromItsBeginning()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Numbered(0, 100));
        await using var reader = await TestReader.CreateAsync(Fixture, "recreated");
        await reader.UntilSeenAsync(100);
        var old = reader.Seen[0].Partition.LogId;

        await Fixture.RecreateAsync();
        await publisher.PublishAsync(Messages.Numbered(1000, 30));
        await reader.UntilSeenAsync(130);

        Assert.Equal(Enumerable.Range(1000, 30).Select(i => $"{i}").Order(), reader.Seen.Skip(100).Select(m => m.Text).Order());
        Assert.All(reader.Seen.Skip(100), m => Assert.NotEqual(old, m.Partition.LogId));
        Assert.Equal(StreamFixture.Partitions, reader.Announced.OfType<ConsumerEvent.Lost>().Count(l => l.Partition.LogId == old));
    }

    [Fact]
    public async Task Recreate_WhileNobodyReads_IsReadFromItsBeginning()
    {
        await using (var publisher = Fixture.CreatePublisher())
            await publisher.PublishAsync(Messages.Numbered(0, 100));
        await using (var reader = await TestReader.CreateAsync(Fixture, "forgot"))
            await reader.UntilSeenAsync(100);

        await Fixture.RecreateAsync();
        await using var again = Fixture.CreatePublisher();
        await again.PublishAsync(Messages.Numbered(200, 5));
        await using var next = await TestReader.CreateAsync(Fixture, "forgot");
        await next.UntilSeenAsync(5);

        Assert.Equal(Enumerable.Range(200, 5).Select(i => $"{i}").Order(), next.Seen.Select(m => m.Text).Order());
    }

    [Fact]
    public async Task Publish_WrongAddress_FailsAndNamesIt()
    {
        var (publisher, consumers, address) = Fixture.CreateUnreachable();
        await using var _ = publisher;

        var publishing = await Assert.ThrowsAsync<StreamUnavailableException>(async () => await publisher.PublishAsync(Messages.Of("x")));
        var reading = await Assert.ThrowsAsync<StreamUnavailableException>(async () => await consumers.CreateAsync("g", Cancellation));

        Assert.Contains(address, publishing.Message);
        Assert.Contains(address, reading.Message);
    }

    [Fact]
    public async Task Publish_CancelledBeforehand_TakesNothing()
    {
        await using var publisher = Fixture.CreatePublisher();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await publisher.PublishAsync(new[] { Messages.Of("never") }, [], new CancellationToken(true)));

        await publisher.PublishAsync(Messages.Of("after"));
        await using var reader = await TestReader.CreateAsync(Fixture, "cancelled");
        await reader.UntilSeenAsync(1);
        Assert.Equal("after", Assert.Single(reader.Seen).Text);
    }

    [Fact]
    public virtual async Task Publish_ConnectionsCutAllTheWhile_EachCallIsThereWholeOrNotAtAll()
    {
        await using var publisher = Fixture.CreateImpatientPublisher();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var cutting = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await Fixture.CutPublishersAsync();
                await Task.Delay(3, CancellationToken.None);
            }
        }, Cancellation);
        var acknowledged = new HashSet<int>();
        var failed = 0;
        for (var call = 0; call < 4000 && (failed < 10 || acknowledged.Count < 10); call++)
        {
            try
            {
                await publisher.PublishAsync([.. Enumerable.Range(0, 40).Select(i => Messages.Of($"{call}", key: $"{i}"))]);
                acknowledged.Add(call);
            }
            catch (StreamUnavailableException)
            {
                failed++;
            }
        }

        await stop.CancelAsync();
        await cutting;
        // A connection that was cut a moment ago may still lie in the pool.
        await Testing.Eventually.TrueAsync(async () =>
        {
            try
            {
                await publisher.PublishAsync(Messages.Of("end"));
                return true;
            }
            catch (StreamUnavailableException)
            {
                return false;
            }
        }, "a publish after the cuts");
        await using var reader = await TestReader.CreateAsync(Fixture, "cut");
        await reader.UntilAsync(() => reader.Seen.Any(m => m.Text == "end") && acknowledged.All(a => reader.Seen.Where(m => m.Text == $"{a}").DistinctBy(m => m.Key).Count() == 40), "all that was acknowledged");

        Assert.True(failed >= 10 && acknowledged.Count >= 10, $"{failed} failed, {acknowledged.Count} acknowledged");
        if (Fixture.TakesCallsWhole)
            Assert.All(reader.Seen.Where(m => m.Text != "end").GroupBy(m => m.Text), call => Assert.Equal(40, call.Count()));
    }

    /// <summary>Lets all readers work until the condition holds.</summary>
    protected static async Task AllUntilAsync(IReadOnlyList<TestReader> readers, Func<bool> condition)
    {
        var done = false;
        await Task.WhenAll(readers.Select(async reader =>
        {
            await reader.UntilAsync(() => done || (done = condition()), "all readers' condition");
        }));
    }
}
