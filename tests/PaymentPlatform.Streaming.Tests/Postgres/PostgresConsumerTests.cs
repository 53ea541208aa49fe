using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming.Leasing;
using PaymentPlatform.Streaming.Postgres;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Postgres;

public sealed class PostgresConsumerTests(PlatformFixture platform) : IAsyncLifetime
{
    private PostgresStreamFixture? _fixture;

    private PostgresStreamFixture Fixture => _fixture!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _fixture = await PostgresStreamFixture.CreateAsync(platform);

    public ValueTask DisposeAsync() => Fixture.DisposeAsync();

    [Fact]
    public async Task Read_CheckpointBelowTheLog_RecordsTheGapAndGoesOnBehindIt()
    {
        await using var publisher = Fixture.CreatePublisher();
        for (var i = 0; i < 5; i++)
            await publisher.PublishAsync(Messages.Of($"{i}", key: "one"));
        var (reader, partition) = await SeenAsync("gap", 5);
        await reader.DisposeAsync();
        // As if retention had not known the group.
        await Fixture.ExecuteAsync($"UPDATE stream_checkpoints SET next_offset = 1 WHERE partition_id = {partition.PartitionId}");
        await Fixture.ExecuteAsync($"DELETE FROM stream_batches WHERE partition_id = {partition.PartitionId} AND first_offset < 4");
        await Fixture.ExecuteAsync($"UPDATE stream_partitions SET first_offset = 4 WHERE partition_id = {partition.PartitionId}");

        await using var next = await TestReader.CreateAsync(Fixture, "gap");
        await next.UntilSeenAsync(1);

        Assert.Equal("4", Assert.Single(next.Seen).Text);
        Assert.Contains(new ConsumerEvent.Assigned(partition, 4), next.Announced);
        Assert.Equal("gap:1-4", await Fixture.ScalarAsync<string>("SELECT consumer_group || ':' || first_offset || '-' || next_offset FROM stream_gaps"));
    }

    [Fact]
    public async Task Read_HoleInTheLog_RecordsTheGapAndGoesOn()
    {
        await using var publisher = Fixture.CreatePublisher();
        for (var i = 0; i < 5; i++)
            await publisher.PublishAsync(Messages.Of($"{i}", key: "one"));
        await Fixture.ExecuteAsync("DELETE FROM stream_batches WHERE first_offset IN (1, 2)");

        var (reader, _) = await SeenAsync("hole", 3);
        await using var _1 = reader;

        Assert.Equal(["0", "3", "4"], reader.Seen.Select(m => m.Text));
        await Eventually.TrueAsync(async () => await Fixture.ScalarAsync<long>("SELECT count(*) FROM stream_gaps") == 1, "gap recorded");
        Assert.Equal("hole:1-3", await Fixture.ScalarAsync<string>("SELECT consumer_group || ':' || first_offset || '-' || next_offset FROM stream_gaps"));
    }

    [Fact]
    public async Task Read_DamagedBatch_HoldsThatPartitionOnlyAndGoesOnOnceItIsWhole()
    {
        await using var publisher = Fixture.CreatePublisher();
        for (var i = 0; i < 3; i++)
            await publisher.PublishAsync(Messages.Of($"{i}", key: "one"));
        var partition = await Fixture.ScalarAsync<int>("SELECT max(partition_id) FROM stream_batches");
        await Fixture.ExecuteAsync("UPDATE stream_batches SET payload = set_byte(payload, 25, get_byte(payload, 25) # 1) WHERE first_offset = 1");
        await using var reader = await TestReader.CreateAsync(Fixture, "damaged");
        await reader.UntilSeenAsync(1);

        var other = Enumerable.Range(0, 100).Select(i => $"other-{i}")
            .First(k => PaymentPlatform.Streaming.Postgres.KeyPartitioner.PartitionOf(System.Text.Encoding.UTF8.GetBytes(k), StreamFixture.Partitions) != partition);
        await publisher.PublishAsync(Messages.Of("elsewhere", key: other));
        await reader.UntilSeenAsync(2);
        Assert.Equal(["0", "elsewhere"], reader.Seen.Select(m => m.Text));
        // Not read hot, which would be thousands: the first pause is a second, and grows.
        var before = await FetchesAsync();
        Assert.True(await reader.IsQuietAsync(TimeSpan.FromSeconds(3)));
        Assert.InRange(await FetchesAsync() - before, 0, 200);
        await Fixture.ExecuteAsync("UPDATE stream_batches SET payload = set_byte(payload, 25, get_byte(payload, 25) # 1) WHERE first_offset = 1");

        await reader.UntilSeenAsync(4);
        Assert.Equal(["1", "2"], reader.Seen.Skip(2).Select(m => m.Text));
        Assert.Equal(0L, await Fixture.ScalarAsync<long>("SELECT count(*) FROM stream_gaps"));
    }

    [Fact]
    public async Task Read_ConnectionsCut_GoesOn()
    {
        await using var publisher = Fixture.CreatePublisher();
        await using var reader = await TestReader.CreateAsync(Fixture, "cut");
        for (var round = 0; round < 10; round++)
        {
            await publisher.PublishAsync(Messages.Numbered(round * 10, 10));
            await Fixture.CutAsync("consumer");
            await reader.UntilSeenAsync(round * 10 + 10);
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}").Order(), reader.Seen.Select(m => m.Text).Order());
    }

    [Fact]
    public async Task Read_ListenConnectionKilled_ListensAgain()
    {
        const string listeners = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'consumer' AND query LIKE 'LISTEN%'";
        await using var publisher = Fixture.CreatePublisher();
        await using var reader = await TestReader.CreateAsync(Fixture, "listen");
        await reader.UntilOwnsAsync(StreamFixture.Partitions);
        await Eventually.TrueAsync(async () => await Fixture.ScalarAsync<long>(listeners) == 1, "listening");
        var pid = await Fixture.ScalarAsync<int>(listeners.Replace("count(*)", "pid"));

        await Fixture.CutAsync("consumer", "LISTEN%%");
        await publisher.PublishAsync(Messages.Of("meanwhile"));
        await reader.UntilSeenAsync(1);

        await Eventually.TrueAsync(async () => await Fixture.ScalarAsync<long>(listeners) == 1 && await Fixture.ScalarAsync<int>(listeners.Replace("count(*)", "pid")) != pid, "listening again");
        await publisher.PublishAsync(Messages.Of("later"));
        await reader.UntilSeenAsync(2);
    }

    [Fact]
    public async Task Read_LeasesCannotBeRenewed_LosesThemByItsOwnClockAndGetsThemBack()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Numbered(0, 20));
        await using var reader = await TestReader.CreateAsync(Fixture, "renewal");
        await reader.UntilSeenAsync(20);
        await using (var connection = await Fixture.Database.OpenConnectionAsync(Cancellation))
        {
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            await using var block = new NpgsqlCommand("LOCK TABLE stream_members IN ACCESS EXCLUSIVE MODE", connection, transaction);
            await block.ExecuteNonQueryAsync(Cancellation);
            await reader.UntilOwnsAsync(0);
            Assert.Equal(StreamFixture.Partitions, reader.Announced.OfType<ConsumerEvent.Lost>().Count());
            await transaction.RollbackAsync(Cancellation);
        }

        await publisher.PublishAsync(Messages.Numbered(20, 20));
        await reader.UntilSeenAsync(40);

        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"{i}").Order(), reader.Seen.Select(m => m.Text).Order());
    }

    [Fact]
    public async Task Read_OwnerWithoutSignOfLife_IsFollowedWhenItsLeasesRunOut()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Numbered(0, 40));
        await Fixture.ExecuteAsync("INSERT INTO stream_members VALUES ('dead', 'payments', 'ghost', now() + interval '2 seconds')");
        await Fixture.ExecuteAsync("INSERT INTO stream_leases SELECT 'dead', 'payments', i, 'ghost', now() + interval '2 seconds' FROM generate_series(0, 3) i");

        await using var reader = await TestReader.CreateAsync(Fixture, "dead");
        await reader.UntilSeenAsync(40);

        Assert.Equal(StreamFixture.Partitions, reader.Owned.Count);
    }

    [Fact]
    public async Task Read_LeaseTakenByAnother_IsLost()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Of("0", key: "one"));
        await using var reader = await TestReader.CreateAsync(Fixture, "taken", commits: false);
        await reader.UntilSeenAsync(1);
        var partition = reader.Seen[0].Partition;
        await Fixture.ExecuteAsync($"UPDATE stream_leases SET owner = 'thief', expires_at = now() + interval '1 hour' WHERE partition_id = {partition.PartitionId}");

        await reader.UntilOwnsAsync(StreamFixture.Partitions - 1);

        Assert.Equal(new ConsumerEvent.Lost(partition), Assert.Single(reader.Announced.OfType<ConsumerEvent.Lost>()));
    }

    [Fact]
    public async Task Rewind_PartitionGoneToAnother_IsLost()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync(Messages.Of("0", key: "one"));
        await using var reader = await TestReader.CreateAsync(Fixture, "gone", commits: false);
        await reader.UntilSeenAsync(1);
        var partition = reader.Seen[0].Partition;
        await Fixture.ExecuteAsync($"UPDATE stream_leases SET owner = 'thief', expires_at = now() + interval '1 hour' WHERE partition_id = {partition.PartitionId}");

        await reader.Consumer.RewindAsync(partition, Cancellation);
        var next = await reader.StepAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(new ConsumerEvent.Lost(partition), next);
    }

    [Fact]
    public async Task Read_PrefetchLimitsBelowTheTraffic_StillGetsAll()
    {
        Fixture.Options.PrefetchBytes = 200_000;
        Fixture.Options.PrefetchBytesPerPartition = 100_000;
        await using var publisher = Fixture.CreatePublisher();
        for (var i = 0; i < 100; i++)
            await publisher.PublishAsync(Messages.Of(new byte[20_000], key: $"{i % 20}", id: $"{i}"));
        await using var reader = await TestReader.CreateAsync(Fixture, "prefetch");
        await reader.UntilOwnsAsync(StreamFixture.Partitions);
        await reader.UntilSeenAsync(100);

        Assert.Equal(100, reader.Seen.Select(m => m.MessageId).Distinct().Count());
    }

    [Fact]
    public async Task Release_LeavingWithLeasesUnknownToTheMember_FreesThemAtOnce()
    {
        var leaver = new PartitionLeases(Fixture.Database, "leave", "payments", "leaver", TimeSpan.FromHours(1));
        var next = new PartitionLeases(Fixture.Database, "leave", "payments", "next", TimeSpan.FromHours(1));
        Assert.Equal(StreamFixture.Partitions, (await leaver.RenewAsync([], leaving: false, Cancellation)).Partitions.Count);

        await leaver.ReleaseAsync([], leaving: true, Cancellation);

        Assert.Equal(StreamFixture.Partitions, (await next.RenewAsync([], leaving: false, Cancellation)).Partitions.Count);
    }

    [Fact]
    public async Task Drop_GroupsBehind_RecordsWhatTheyHadNotRead()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync([.. Enumerable.Range(0, 10).Select(i => Messages.Of($"{i}", key: "one"))]);
        foreach (var group in new[] { "done", "behind" })
            await (await SeenAsync(group, 10)).Reader.DisposeAsync();
        await Fixture.ExecuteAsync("UPDATE stream_checkpoints SET next_offset = 4 WHERE consumer_group = 'behind' AND next_offset = 10");
        await Fixture.ExecuteAsync("INSERT INTO stream_groups VALUES ('new', 'payments'), ('elsewhere', 'other')");

        await Fixture.Admin.DropAsync("payments", Cancellation);

        Assert.Equal(["behind 4 10", "new 0 10"], await Fixture.ScalarAsync<string[]>("SELECT array_agg(concat_ws(' ', consumer_group, first_offset, next_offset) ORDER BY consumer_group) FROM stream_gaps"));
        Assert.Null(await Fixture.Admin.DescribeAsync("payments", Cancellation));
        Assert.Equal(0L, await Fixture.ScalarAsync<long>("SELECT count(*) FROM stream_batches"));
    }

    [Fact]
    public async Task Drop_RetentionAtIt_WaitsBeforeItLocksAnything()
    {
        Task drop;
        await using (var connection = await Fixture.Database.OpenConnectionAsync(Cancellation))
        {
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            await using var take = new NpgsqlCommand("SELECT pg_advisory_xact_lock(hashtextextended('retain/payments', 0))", connection, transaction);
            await take.ExecuteNonQueryAsync(Cancellation);
            drop = Fixture.Admin.DropAsync("payments", Cancellation);
            await Eventually.TrueAsync(async () => await Fixture.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 1, "the drop waits");
            await using var update = new NpgsqlCommand("SELECT 1 FROM stream_partitions FOR UPDATE NOWAIT", connection, transaction);
            await update.ExecuteNonQueryAsync(Cancellation);
        }

        await drop;
        Assert.Null(await Fixture.Admin.DescribeAsync("payments", Cancellation));
    }

    [Fact]
    public async Task StreamLag_GroupsWithAndWithoutCheckpoints_TellsPositionEndAndOwner()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync([.. Enumerable.Range(0, 10).Select(i => Messages.Of($"{i}", key: "one"))]);
        var (reader, partition) = await SeenAsync("lag", 10);
        await using var _ = reader;
        await publisher.PublishAsync(Messages.Of("10", key: "one"));
        await Fixture.ExecuteAsync("INSERT INTO stream_groups VALUES ('new', 'payments')");

        var rows = await Fixture.ScalarAsync<string[]>(
            $"SELECT array_agg(concat_ws(' ', consumer_group, position, end_offset, lag, owner IS NOT NULL) ORDER BY consumer_group) FROM stream_lag WHERE partition_id = {partition.PartitionId} AND log_id = '{partition.LogId}'");

        Assert.Equal(["lag 10 11 1 t", "new 0 11 11 f"], rows);
    }

    private async Task<(TestReader Reader, StreamPartition Partition)> SeenAsync(string group, int count)
    {
        var reader = await TestReader.CreateAsync(Fixture, group);
        await reader.UntilSeenAsync(count);
        return (reader, reader.Seen[0].Partition);
    }

    /// <summary>Index scans of the record batches so far.</summary>
    private async Task<long> FetchesAsync()
    {
        await Fixture.ExecuteAsync("SELECT pg_stat_clear_snapshot()");
        return await Fixture.ScalarAsync<long>("SELECT coalesce(n_tup_upd, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_all_tables WHERE relname = 'stream_batches'");
    }
}
