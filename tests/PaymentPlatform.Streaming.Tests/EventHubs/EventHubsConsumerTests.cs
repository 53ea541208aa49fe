using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.EventHubs;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.EventHubs;

/// <summary>What only a hub does to its readers.</summary>
public sealed class EventHubsConsumerTests(PlatformFixture platform) : IAsyncLifetime
{
    private MemoryHubFixture _fixture = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _fixture = await MemoryHubFixture.CreateAsync(platform);

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task Read_CheckpointOlderThanRetention_GoesOnAtTheBeginningAndNotesTheGap()
    {
        Append(1, 10);
        await ReadAsync(4, upTo: 4);
        _fixture.Hub.Trim(1, 7);

        await using var reader = await TestReader.CreateAsync(_fixture, "g");
        await reader.UntilSeenAsync(3);

        Assert.Equal([7L, 8, 9], reader.Seen.Select(m => m.Offset));
        Assert.Equal(["1 4-7"], await GapsAsync());
    }

    [Fact]
    public async Task Read_RetentionPassesAReaderThatWaits_NotesTheGapAndGoesOn()
    {
        await using var reader = await TestReader.CreateAsync(_fixture, "g");
        await reader.UntilOwnsAsync(StreamFixture.Partitions);
        Append(1, 2);
        await reader.UntilSeenAsync(2);

        _fixture.Hub.Skip(1, 3);
        _fixture.Hub.Trim(1, 5);
        Append(1, 1);
        await reader.UntilSeenAsync(3);

        Assert.Equal(5, reader.Seen[^1].Offset);
        Assert.Equal(["1 2-5"], await GapsAsync());
    }

    [Fact]
    public async Task Read_NumbersThatTheServiceSkipped_AreNoGap()
    {
        Append(1, 2);
        _fixture.Hub.Skip(1, 3);
        Append(1, 2);

        await using var reader = await TestReader.CreateAsync(_fixture, "g");
        await reader.UntilSeenAsync(4);

        Assert.Equal([0L, 1, 5, 6], reader.Seen.Select(m => m.Offset));
        Assert.Empty(await GapsAsync());
    }

    [Fact]
    public async Task Read_HubForgotItsEventsAndIsTheSameHub_IsReadFromItsBeginning()
    {
        Append(1, 10);
        await using var reader = await TestReader.CreateAsync(_fixture, "g");
        await reader.UntilSeenAsync(10);
        var before = reader.Seen[^1].Partition.LogId;

        _fixture.Hub.Forget();
        Append(1, 3);
        await reader.UntilSeenAsync(13);

        Assert.Equal([0L, 1, 2], reader.Seen.Skip(10).Select(m => m.Offset));
        Assert.All(reader.Seen.Skip(10), m => Assert.Equal(before + "-2", m.Partition.LogId));
        Assert.Empty(await GapsAsync());
    }

    [Fact]
    public async Task Read_HubForgotItsEventsWhileNobodyRead_IsReadFromItsBeginning()
    {
        Append(1, 10);
        await ReadAsync(10, upTo: 10);

        _fixture.Hub.Forget();
        Append(1, 3);
        await using var reader = await TestReader.CreateAsync(_fixture, "g");
        await reader.UntilSeenAsync(3);

        Assert.Equal([0L, 1, 2], reader.Seen.Select(m => m.Offset));
    }

    [Fact]
    public async Task Read_AnotherReaderTakesThePartition_IsLostAndComesBackOnceItIsGone()
    {
        await using var reader = await TestReader.CreateAsync(_fixture, "g");
        await reader.UntilOwnsAsync(StreamFixture.Partitions);
        Append(1, 1);
        await reader.UntilSeenAsync(1);
        reader.Announced.Clear();

        await using (var intruder = new MemoryReceiver(_fixture.Hub, "g", 1, null, isExclusive: true))
        {
            await intruder.ReceiveAsync(1, TimeSpan.Zero, Cancellation);
            await reader.UntilAsync(() => reader.Announced.OfType<ConsumerEvent.Lost>().Any(l => l.Partition.PartitionId == 1), "partition 1 lost");
        }

        Append(1, 1);
        await reader.UntilSeenAsync(2);
        Assert.Equal([0L, 1], reader.Seen.Select(m => m.Offset));
        Assert.DoesNotContain(reader.Announced, a => a is ConsumerEvent.Lost { Partition.PartitionId: not 1 });
    }

    [Theory]
    [InlineData(nameof(HubFault.Transient))]
    [InlineData(nameof(HubFault.NotFound))]
    [InlineData(nameof(HubFault.Refused))]
    public async Task Read_HubFailsForAWhile_KeepsThePartitionsAndLosesNothing(string fault)
    {
        await using var reader = await TestReader.CreateAsync(_fixture, "g");
        await reader.UntilOwnsAsync(StreamFixture.Partitions);
        Append(1, 5);
        await reader.UntilSeenAsync(5);
        reader.Announced.Clear();

        _fixture.Hub.Fault = Enum.Parse<HubFault>(fault);
        // Longer than a lease.
        Assert.True(await reader.IsQuietAsync(TimeSpan.FromSeconds(3)));
        _fixture.Hub.Fault = null;
        Append(1, 5);
        await reader.UntilSeenAsync(10);

        Assert.Equal(Enumerable.Range(0, 10).Select(i => (long)i), reader.Seen.Select(m => m.Offset));
        Assert.Empty(reader.Announced);
    }

    [Fact]
    public async Task Create_HubThatIsMissing_SaysSo()
    {
        _fixture.Hub.Fault = HubFault.NotFound;

        var error = await Assert.ThrowsAsync<StreamUnavailableException>(async () => await _fixture.CreateConsumers().CreateAsync("g", Cancellation));

        Assert.Equal("The stream 'payments' can't be reached: hub 'payments' at 127.0.0.1:1: connection refused. Make the hub first, or correct its name (connection string 'payments').", error.Message);
    }

    [Fact]
    public async Task Range_InsideTheLog_IsReadBesideTheGroup()
    {
        Append(1, 10);
        await using var reader = await TestReader.CreateAsync(_fixture, "g");
        await reader.UntilSeenAsync(10);
        var partition = reader.Seen[0].Partition;

        var offsets = new List<long>();
        await foreach (var batch in _fixture.CreateRangeReader().ReadAsync(new(partition, 3, 6), Cancellation))
            offsets.AddRange(batch.Messages.ToArray().Select(m => m.Offset));

        Assert.Equal([3L, 4, 5], offsets.Take(3));
        Assert.Contains(partition, reader.Owned);
    }

    [Fact]
    public async Task Range_PartlyGoneOrOfAnotherLog_ThrowsBeforeTheFirstBatch()
    {
        Append(1, 10);
        await ReadAsync(10, upTo: 10);
        _fixture.Hub.Trim(1, 5);
        var ranges = _fixture.CreateRangeReader();
        var partition = new StreamPartition("payments", HubLogId.Of(_fixture.Hub.CreatedOn), 1);

        var gone = await Assert.ThrowsAsync<StreamRangeGoneException>(() => FirstAsync(new(partition, 3, 6)));
        var notYet = await Assert.ThrowsAsync<StreamRangeGoneException>(() => FirstAsync(new(partition, 8, 11)));
        var other = await Assert.ThrowsAsync<StreamRangeGoneException>(() => FirstAsync(new(partition with { LogId = "another" }, 8, 9)));

        Assert.Equal($"The stream holds offsets 5 to 10 of {partition}, not all of 3 to 6.", gone.Message);
        Assert.Equal($"The stream holds offsets 5 to 10 of {partition}, not all of 8 to 11.", notYet.Message);
        Assert.Equal("The log of payments/another/1 is gone.", other.Message);

        async Task FirstAsync(OffsetRange range)
        {
            await foreach (var batch in ranges.ReadAsync(range, Cancellation))
                batch.Dispose();
        }
    }

    private void Append(int partition, int count) => _fixture.Hub.Append(
        partition, Enumerable.Range(0, count).Select(i => new HubEvent(-1, default, "{}"u8.ToArray(), null, null, null, new Dictionary<string, object>())));

    /// <summary>A group that has read so far, and is gone.</summary>
    private async Task ReadAsync(int count, long upTo)
    {
        await using var reader = await TestReader.CreateAsync(_fixture, "g", commits: false);
        await reader.UntilSeenAsync(count);
        Assert.Empty(await _fixture.CommitAsync("g", new OffsetRange(reader.Seen[0].Partition, 0, upTo)));
    }

    private async Task<List<string>> GapsAsync()
    {
        await using var command = _fixture.Database.CreateCommand("SELECT format('%s %s-%s', partition_id, first_offset, next_offset) FROM stream_gaps ORDER BY 1");
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var gaps = new List<string>();
        while (await reader.ReadAsync(Cancellation))
            gaps.Add(reader.GetString(0));
        return gaps;
    }
}
