using System.Diagnostics;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Streaming.Tests.Postgres;

public sealed class PostgresPublisherTests(PlatformFixture platform) : IAsyncLifetime
{
    private PostgresStreamFixture? _fixture;

    private PostgresStreamFixture Fixture => _fixture!;

    public async ValueTask InitializeAsync() => _fixture = await PostgresStreamFixture.CreateAsync(platform);

    public ValueTask DisposeAsync() => Fixture.DisposeAsync();

    [Fact]
    public async Task Publish_FromTwoProcessesAtOnce_KeepsOffsetsDense()
    {
        await using var one = Fixture.CreatePublisher();
        await using var two = Fixture.CreatePublisher();
        await Task.WhenAll(Enumerable.Range(0, 400).Select(i => (i % 2 == 0 ? one : two).PublishAsync(Messages.Numbered(i * 10, 10)).AsTask()));

        var description = (await Fixture.Admin.DescribeAsync("payments", TestContext.Current.CancellationToken))!;
        Assert.Equal(4000, description.Partitions.Sum(p => p.EndOffset));
        foreach (var partition in description.Partitions)
        {
            Assert.Equal(partition.EndOffset, await Fixture.ScalarAsync<decimal>($"SELECT sum(next_offset - first_offset) FROM stream_batches WHERE partition_id = {partition.PartitionId}"));
            Assert.Equal(0L, await Fixture.ScalarAsync<long>(
                $"SELECT count(*) FROM (SELECT first_offset - lag(next_offset, 1, 0::bigint) OVER (ORDER BY first_offset) AS hole FROM stream_batches WHERE partition_id = {partition.PartitionId}) h WHERE hole <> 0"));
            Assert.Equal(partition.StoredBytes, await Fixture.ScalarAsync<long>($"SELECT sum(octet_length(payload)) FROM stream_batches WHERE partition_id = {partition.PartitionId}"));
        }
    }

    [Fact]
    public async Task Publish_ClockStepsBack_ArrivalsGrowWithOffsets()
    {
        // In place of the server's own clock: one that goes back by a minute with each look at it.
        await Fixture.ExecuteAsync("""
            CREATE SEQUENCE looks;
            CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT timestamptz '2026-01-01T00:00:00Z' - nextval('looks') * interval '1 minute' $$;
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$
            """);
        await using var publisher = Fixture.CreatePublisher();
        for (var i = 0; i < 3; i++)
            await publisher.PublishAsync(Messages.Of($"{i}", key: "one"));

        Assert.True(await Fixture.ScalarAsync<bool>("SELECT count(*) = 3 AND max(enqueued_at) < '2026-01-02' FROM stream_batches"));
        Assert.Equal(0L, await Fixture.ScalarAsync<long>("SELECT count(*) FROM (SELECT enqueued_at - lag(enqueued_at) OVER (ORDER BY first_offset) AS step FROM stream_batches) s WHERE step <= interval '0'"));
    }

    [Fact]
    public async Task Publish_ConcurrentCalls_ShareAppends()
    {
        await using var publisher = Fixture.CreatePublisher();
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => publisher.PublishAsync(Messages.Of($"{i}", key: "one")).AsTask()));

        Assert.InRange(await Fixture.ScalarAsync<long>("SELECT count(*) FROM stream_batches"), 1, 200);
    }

    [Fact]
    public async Task Publish_BeyondTheDiskBudget_IsRefusedUntilThereIsRoom()
    {
        Fixture.Options.DiskBudgetBytes = 1 << 20;
        var random = new Random(5);
        await using var publisher = Fixture.CreatePublisher();
        await using (var reader = await TestReader.CreateAsync(Fixture, "budget"))
        {
            StreamUnavailableException? refusal = null;
            var taken = 0;
            for (; refusal is null && taken < 100; taken++)
            {
                var body = new byte[100_000];
                random.NextBytes(body);
                refusal = await Record.ExceptionAsync(async () => await publisher.PublishAsync(Messages.Of(body, key: $"{taken}"))) as StreamUnavailableException;
            }

            Assert.Equal(12, taken);
            Assert.Contains("no room", refusal!.Message);
            await reader.UntilSeenAsync(11);
        }

        var now = DateTimeOffset.UtcNow;
        await Fixture.Retention().RunOnceAsync(now, TestContext.Current.CancellationToken);
        await Fixture.Retention().RunOnceAsync(now.AddHours(2), TestContext.Current.CancellationToken);

        await publisher.PublishAsync(Messages.Of("room again"));
        Assert.Equal(1L, await Fixture.ScalarAsync<long>("SELECT count(*) FROM stream_batches"));
    }

    [Fact]
    public async Task Publish_TraceListenerThrows_FailsTheCallsAndGoesOn()
    {
        var publisher = Fixture.CreatePublisher();
        using (var listener = new ActivityListener
        {
            ShouldListenTo = source => ReferenceEquals(source, Fixture.Telemetry.Activities),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStarted = _ => throw new InvalidOperationException("A listener's fault."),
        })
        {
            ActivitySource.AddActivityListener(listener);
            // More than there are slots.
            for (var i = 0; i < 5; i++)
                await Assert.ThrowsAsync<StreamUnavailableException>(async () => await publisher.PublishAsync(Messages.Of("x")).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        }

        await publisher.PublishAsync(Messages.Of("y")).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await publisher.DisposeAsync();
        Assert.Equal(1L, await Fixture.ScalarAsync<long>("SELECT count(*) FROM stream_batches"));
    }

    [Fact]
    public async Task Publish_DatabaseNotMigrated_SaysSo()
    {
        await Fixture.ExecuteAsync("DROP TABLE stream_logs CASCADE");
        await using var publisher = Fixture.CreatePublisher();

        var error = await Assert.ThrowsAsync<StreamUnavailableException>(async () => await publisher.PublishAsync(Messages.Of("x")));

        Assert.Contains("not migrated", error.Message);
    }
}
