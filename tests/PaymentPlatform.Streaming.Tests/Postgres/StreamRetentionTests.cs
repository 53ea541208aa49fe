using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Postgres;

public sealed class StreamRetentionTests(PlatformFixture platform) : IAsyncLifetime
{
    private readonly DateTimeOffset _now = DateTimeOffset.UtcNow;
    private PostgresStreamFixture? _fixture;

    private PostgresStreamFixture Fixture => _fixture!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _fixture = await PostgresStreamFixture.CreateAsync(platform);

    public ValueTask DisposeAsync() => Fixture.DisposeAsync();

    [Fact]
    public async Task RunOnce_NoGroups_DeletesNothing()
    {
        await PublishAsync(10);

        await RunAsync(TimeSpan.Zero, TimeSpan.FromHours(2), TimeSpan.FromDays(300));

        Assert.Equal(10, await BatchesAsync());
    }

    [Fact]
    public async Task RunOnce_EverythingRead_WaitsForTheRetention()
    {
        await PublishAsync(10);
        await ReadAsync("a", 10);

        await RunAsync(TimeSpan.Zero, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(59));
        Assert.Equal(10, await BatchesAsync());

        await RunAsync(TimeSpan.FromMinutes(61));
        Assert.Equal(0, await BatchesAsync());
        var description = (await Fixture.Admin.DescribeAsync("payments", Cancellation))!;
        Assert.Equal((10, 10, 0), (description.Partitions.Sum(p => p.FirstOffset), description.Partitions.Sum(p => p.EndOffset), description.Partitions.Sum(p => p.StoredBytes)));
    }

    [Fact]
    public async Task RunOnce_OneGroupBehind_NeverPassesIt()
    {
        await PublishAsync(1000);
        await ReadAsync("fast", 1000);
        await using (var slow = await TestReader.CreateAsync(Fixture, "slow", commits: false))
        {
            await slow.UntilSeenAsync(1000);
            var partition = slow.Seen[0].Partition;
            Assert.Empty(await Fixture.CommitAsync("slow", new OffsetRange(partition, 0, 399)));
        }

        await RunAsync(TimeSpan.Zero, TimeSpan.FromHours(2), TimeSpan.FromHours(4), TimeSpan.FromDays(30));

        // In steps of 200 batches: more than one was needed.
        Assert.Equal(601, await BatchesAsync());
        await using var reader = await TestReader.CreateAsync(Fixture, "slow");
        await reader.UntilSeenAsync(601);
        Assert.Equal("399", reader.Seen[0].Text);
        Assert.Equal(0L, await Fixture.ScalarAsync<long>("SELECT count(*) FROM stream_gaps"));
    }

    [Fact]
    public async Task RunOnce_GroupRegisteredAfterTheMark_HoldsEverythingForIt()
    {
        await PublishAsync(10);
        await ReadAsync("early", 10);
        await RunAsync(TimeSpan.Zero);
        await Fixture.ExecuteAsync("INSERT INTO stream_groups VALUES ('late', 'payments')");

        await RunAsync(TimeSpan.FromHours(2));

        Assert.Equal(10, await BatchesAsync());
        await ReadAsync("late", 10);
    }

    [Fact]
    public async Task RunOnce_AnotherProcessIsAtIt_PassesBy()
    {
        await PublishAsync(10);
        await ReadAsync("a", 10);
        await RunAsync(TimeSpan.Zero);
        await using (var connection = await Fixture.Database.OpenConnectionAsync(Cancellation))
        {
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            await using var take = new Npgsql.NpgsqlCommand("SELECT pg_advisory_xact_lock(hashtextextended('retain/payments', 0))", connection, transaction);
            await take.ExecuteNonQueryAsync(Cancellation);
            await RunAsync(TimeSpan.FromHours(2));
            Assert.Equal(10, await BatchesAsync());
        }

        await RunAsync(TimeSpan.FromHours(2));
        Assert.Equal(0, await BatchesAsync());
    }

    [Fact]
    public async Task RunOnce_ManyRuns_KeepsFewMarks()
    {
        await PublishAsync(1);
        await ReadAsync("a", 1);

        await RunAsync([.. Enumerable.Range(0, 600).Select(i => TimeSpan.FromSeconds(i * 30))]);

        // A mark a sixtieth of the retention, kept for little more than the retention.
        Assert.InRange(await Fixture.ScalarAsync<long>("SELECT max(c) FROM (SELECT count(*) AS c FROM stream_retention_marks GROUP BY partition_id) m"), 30, 65);
    }

    [Fact]
    public async Task RunOnce_Claims_GoAfterADay()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync([], Messages.Claim("k", 0, "h", "o", 0, 0));

        await RunAsync(TimeSpan.FromHours(23.9));
        Assert.Equal(1, await Fixture.ScalarAsync<long>("SELECT count(*) FROM ingest_idempotency WHERE key = 'k' AND chunk = 0"));

        await RunAsync(TimeSpan.FromHours(24.1));
        Assert.Equal(0, await Fixture.ScalarAsync<long>("SELECT count(*) FROM ingest_idempotency WHERE key = 'k' AND chunk = 0"));
    }

    /// <summary>Ended after more than a day, its event must not go out a second time.</summary>
    [Fact]
    public async Task RunOnce_ClaimOfAResubmissionUnderWay_StaysUntilItIsEnded()
    {
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync([], Messages.Claim("resubmit/1/1", 0, "h", "o", 0, 0));
        await Fixture.ExecuteAsync(
            """
            INSERT INTO failed_items (stream, log_id, partition_id, stream_offset, error_type, error_message, errors, raw_payload, enqueued_at) VALUES ('s', 'l', 0, 0, 't', 'm', '[]', '', now());
            INSERT INTO failed_item_sends (item_id, claim_key, payload, payload_sha256, partition_key, correlation_id, is_masked, requested_by) SELECT id, 'resubmit/1/1', '', '', '', '', false, 'x' FROM failed_items;
            """);

        await RunAsync(TimeSpan.FromHours(100));
        Assert.Equal(1, await Fixture.ScalarAsync<long>("SELECT count(*) FROM ingest_idempotency WHERE key = 'resubmit/1/1'"));

        await Fixture.ExecuteAsync("DELETE FROM failed_item_sends");
        await RunAsync(TimeSpan.FromHours(100));
        Assert.Equal(0, await Fixture.ScalarAsync<long>("SELECT count(*) FROM ingest_idempotency WHERE key = 'resubmit/1/1'"));
    }

    [Theory]
    [InlineData("waiting", true)]
    [InlineData("running", true)]
    [InlineData("failed", true)]
    [InlineData("done", false)]
    [InlineData("stopped", false)]
    public async Task RunOnce_ClaimsOfReplays_StayWhileTheReplayMayGoOn(string state, bool stay)
    {
        var id = Guid.CreateVersion7();
        await Fixture.ExecuteAsync(
            $"""
            INSERT INTO replays (id, range_from, range_to, filter, target, allow_live, chunk_events, arrived_before, state, events_total, requested_by)
            VALUES ('{id}', '2026-01-01', '2026-01-02', '{"{}"}', 'x', false, 1, now(), '{state}', 0, 'test')
            """);
        await using var publisher = Fixture.CreatePublisher();
        await publisher.PublishAsync([], Messages.Claim($"replay/{id}/0", 0, "h", "o", 0, 0), Messages.Claim($"k:replay/{id}/0", 0, "h", "o", 0, 0));

        await RunAsync(TimeSpan.FromDays(30));

        Assert.Equal(stay ? [$"replay/{id}/0"] : [], await Fixture.ScalarAsync<string[]>("SELECT coalesce(array_agg(key), '{}') FROM ingest_idempotency"));
    }

    private async Task PublishAsync(int batches)
    {
        await using var publisher = Fixture.CreatePublisher();
        for (var i = 0; i < batches; i++)
            await publisher.PublishAsync(Messages.Of($"{i}", key: "one"));
    }

    private async Task ReadAsync(string group, int count)
    {
        await using var reader = await TestReader.CreateAsync(Fixture, group);
        await reader.UntilSeenAsync(count);
    }

    private async Task RunAsync(params TimeSpan[] after)
    {
        foreach (var time in after)
            await Fixture.Retention().RunOnceAsync(_now + time, Cancellation);
    }

    private async Task<long> BatchesAsync() => await Fixture.ScalarAsync<long>("SELECT count(*) FROM stream_batches");
}
