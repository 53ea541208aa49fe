using System.Net;
using System.Text.Json;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Query.Replay;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.ReplayHarness;

namespace PaymentPlatform.Query.Tests;

/// <summary>A replay that is killed, stopped or kept from its files or its target.</summary>
public sealed class ReplayFaultTests(PlatformFixture platform)
{
    [Fact]
    public async Task Run_KilledBeforeAndAfterAppends_PublishesEachEventOnce()
    {
        await using var host = await QueryHost.StartAsync(platform, services: FaultyTargets.AddTo);
        var files = RandomArchive.Files(new Random(3), files: 8, rows: 600);
        await ArchiveAsync(host, files);
        var faults = FaultyTargets.Of(host);
        faults.Before = call => call is 4 or 9 ? throw new InvalidOperationException("killed before the append") : Task.CompletedTask;
        faults.After = call => call is 2 or 7 or 14 ? throw new InvalidOperationException("killed after the append") : Task.CompletedTask;

        var replay = await AskAsync(host, SmallChunks);
        // As though each of the processes had died before it noted anything.
        var done = await UntilAsync(host, replay, "done", () => host.Archive.ExecuteAsync("UPDATE replays SET not_before = NULL, faults = 0, position = NULL, events_done = 0 WHERE state = 'waiting' AND attempts > 0"));

        var expected = Expected(files);
        AssertDelivered(expected, await StreamContents.ReadAsync(host, Target));
        Assert.Equal((6L, expected.Count), (Number(done, "attempts"), Number(done, "events_done")));
    }

    [Fact]
    public async Task Run_TwoProcessesAtOnce_PublishEachEventOnce()
    {
        // Its clock stands still: it neither notes its progress nor hears that it was overtaken.
        var frozen = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var database = await platform.CreateDatabaseAsync();
        await using var first = await QueryHost.StartAsync(platform, database: database, services: services =>
        {
            FaultyTargets.AddTo(services);
            services.AddSingleton<TimeProvider>(frozen);
        });
        var files = RandomArchive.Files(new Random(4), files: 8, rows: 1200);
        await ArchiveAsync(first, files);
        var (reached, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        FaultyTargets.Of(first).After = async call =>
        {
            if (call != 2)
                return;
            reached.SetResult();
            await goOn.Task;
        };
        var replay = await AskAsync(first, "\"filter\": {\"is_valid\": true}");
        await AdvanceUntilAsync(frozen, () => IsRunningAsync(first));
        await reached.Task;

        await first.Archive.ExecuteAsync("UPDATE replays SET lease_until = clock_timestamp()");
        await using var second = await QueryHost.StartAsync(platform, database: database, services: services => FaultyTargets.AddTo(services, targets => targets.Before = call =>
        {
            if (call == 3)
                goOn.SetResult();
            return Task.CompletedTask;
        }));
        var done = await UntilAsync(second, replay, "done");
        await Eventually.TrueAsync(() => FaultyTargets.Of(first).Calls >= 3, "the overtaken process goes on");

        var expected = Expected(files).FindAll(e => e.IsValid);
        AssertDelivered(expected, await StreamContents.ReadAsync(second, Target));
        Assert.Equal((2L, expected.Count), (Number(done, "attempts"), Number(done, "events_done")));
    }

    [Fact]
    public async Task Stop_WhileItRuns_KeepsWhatWasPublishedAndItsCounts()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await ArchiveAsync(host, RandomArchive.Files(new Random(5), files: 2, rows: 500));
        var replay = await AskAsync(host, "\"rate\": 20");
        await Eventually.TrueAsync(async () => Number(await host.GetAsync($"/v1/replays/{Text(replay, "id")}"), "events_done") > 10, "some events are published");

        using (var response = await host.Client.DeleteAsync($"/v1/replays/{Text(replay, "id")}"))
        {
            var stopping = JsonElement.Parse(await response.Content.ReadAsStringAsync());
            Assert.Contains((Text(stopping, "state"), Text(stopping, "ended_at") is not null), ((string?, bool)[])[("stopping", false), ("stopped", true)]);
        }

        // The process hears of it within a second, and then notes what it had done.
        await Eventually.TrueAsync(async () => Text(await host.GetAsync($"/v1/replays/{Text(replay, "id")}"), "state") == "stopped", "the process has let go");

        var stopped = await host.GetAsync($"/v1/replays/{Text(replay, "id")}");
        Assert.Equal("stopped", Text(stopped, "state"));
        Assert.NotNull(Text(stopped, "ended_at"));
        Assert.Equal((await StreamContents.ReadAsync(host, Target)).Count, Number(stopped, "events_done"));
        using (var again = await host.Client.DeleteAsync($"/v1/replays/{Text(replay, "id")}"))
            Assert.Equal(stopped.GetRawText(), await again.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Stop_DatabaseAwayWhenTheCountsAreNoted_NotesThemLater()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await ArchiveAsync(host, RandomArchive.Files(new Random(5), files: 2, rows: 500));
        // Faults that come by turns: a sequence knows no rollback.
        await host.Archive.ExecuteAsync("""
            CREATE SEQUENCE faults;
            CREATE FUNCTION be_away() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF nextval('faults') <= 2 THEN RAISE 'away' USING ERRCODE = 'admin_shutdown'; END IF;
              RETURN NEW;
            END $$;
            CREATE TRIGGER be_away BEFORE UPDATE ON replays FOR EACH ROW WHEN (OLD.state = 'stopped') EXECUTE FUNCTION be_away();
            """);
        var replay = await AskAsync(host, "\"rate\": 20");
        await Eventually.TrueAsync(async () => Number(await host.GetAsync($"/v1/replays/{Text(replay, "id")}"), "events_done") > 10, "some events are published");

        using (await host.Client.DeleteAsync($"/v1/replays/{Text(replay, "id")}"))
            await Eventually.TrueAsync(async () => Text(await host.GetAsync($"/v1/replays/{Text(replay, "id")}"), "state") == "stopped", "the process has let go");

        Assert.Equal(3, await host.ScalarAsync<long>("SELECT last_value FROM faults"));
        Assert.Equal((await StreamContents.ReadAsync(host, Target)).Count, Number(await host.GetAsync($"/v1/replays/{Text(replay, "id")}"), "events_done"));
    }

    [Fact]
    public async Task Run_HostStops_GoesOnInTheNextOne()
    {
        var database = await platform.CreateDatabaseAsync();
        var files = RandomArchive.Files(new Random(7), files: 2, rows: 400);
        JsonElement replay;
        await using (var first = await QueryHost.StartAsync(platform, database: database))
        {
            await ArchiveAsync(first, files);
            replay = await AskAsync(first, SmallChunks);
            await Eventually.TrueAsync(async () => (await StreamContents.ReadAsync(first, Target)).Count > 50, "some events are published");
        }

        await using var second = await QueryHost.StartAsync(platform, database: database);
        var done = await UntilAsync(second, replay, "done");

        AssertDelivered(Expected(files), await StreamContents.ReadAsync(second, Target));
        Assert.Equal(2, Number(done, "attempts"));
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("damaged")]
    [InlineData("archived")]
    public async Task Run_FileThatCanNotBeRead_FailsWithItsNameAndGoesOnOnceItIsThere(string fault)
    {
        await using var host = await QueryHost.StartAsync(platform);
        var files = RandomArchive.Files(new Random(8), files: 3, rows: 200);
        await ArchiveAsync(host, files);
        var name = await host.ScalarAsync<string>("SELECT blob_name FROM raw_event_files ORDER BY min_enqueued_at DESC LIMIT 1");
        var blob = host.Connections.RawEvents.GetBlobClient(name);
        var content = (await blob.DownloadContentAsync()).Value.Content;
        if (fault == "missing")
            await blob.DeleteAsync();
        else if (fault == "damaged")
            await blob.UploadAsync(new BinaryData(content.ToArray().Reverse().ToArray()), overwrite: true);
        else
            await blob.SetAccessTierAsync(AccessTier.Archive);

        var replay = await AskAsync(host);
        var failed = await UntilAsync(host, replay, "failed");

        Assert.Contains(name, Text(failed, "error"));
        Assert.Contains($"/v1/replays/{Text(replay, "id")}/resume", Text(failed, "error"));
        if (fault == "archived")
            await blob.SetAccessTierAsync(AccessTier.Hot);
        else
            await blob.UploadAsync(content, overwrite: true);
        using (var response = await host.Client.PostAsync($"/v1/replays/{Text(replay, "id")}/resume", null))
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var done = await UntilAsync(host, replay, "done");
        AssertDelivered(Expected(files), await StreamContents.ReadAsync(host, Target));
        Assert.Null(Text(done, "error"));
    }

    [Fact]
    public async Task Run_FaultThatStays_FailsAfterSomeAttempts()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:ReplayAttempts"] = "2" }, services: FaultyTargets.AddTo);
        await ArchiveAsync(host, RandomArchive.Files(new Random(9), files: 1, rows: 100));
        FaultyTargets.Of(host).Before = _ => throw new InvalidOperationException("a secret");

        var failed = await UntilAsync(host, await AskAsync(host), "failed");

        Assert.Contains("InvalidOperationException", Text(failed, "error"));
        Assert.DoesNotContain("a secret", Text(failed, "error"));
        Assert.Equal((2L, 0L), (Number(failed, "attempts"), Number(failed, "events_done")));
    }

    [Fact]
    public async Task Run_StreamAway_WaitsAndSaysSo()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:ReplayAttempts"] = "1" }, services: FaultyTargets.AddTo);
        var files = RandomArchive.Files(new Random(10), files: 1, rows: 100);
        await ArchiveAsync(host, files);
        var faults = FaultyTargets.Of(host);
        faults.Before = _ => throw new StreamUnavailableException("The stream is away.");

        var replay = await AskAsync(host);
        await Eventually.TrueAsync(async () => Text(await host.GetAsync($"/v1/replays/{Text(replay, "id")}"), "error") == "The stream is away.", "the replay says what it waits for");
        faults.Before = _ => Task.CompletedTask;
        var done = await UntilAsync(host, replay, "done", () => host.Archive.ExecuteAsync("UPDATE replays SET not_before = NULL"));

        AssertDelivered(Expected(files), await StreamContents.ReadAsync(host, Target));
        Assert.Null(Text(done, "error"));
    }

    [Theory]
    [InlineData(0, 0, 3)]
    [InlineData(1, 0, 0)]
    [InlineData(0, 1, 0)]
    public async Task Save_EventsPublishedOrLeftOut_EndTheFaultsInARow(long done, long skipped, int faults)
    {
        await using var host = await QueryHost.StartAsync(platform);
        // Without a lease nobody takes it up.
        await StoreAsync(host, "{}", "running");
        await host.Archive.ExecuteAsync("UPDATE replays SET faults = 3, error = 'The process ended.'");
        await using var connection = await host.Connections.Database.OpenConnectionAsync();
        var job = Assert.Single(await ReplayJobs.FindAsync(connection, "t-1", [Timestamps.ToDateTime(RandomArchive.Start)], 2, CancellationToken.None));

        Assert.True(await new ReplayJobs(host.Connections).SaveAsync(job, new(ReplayPosition.Start with { EventsDone = done, EventsSkipped = skipped }, null, null), TimeSpan.FromMinutes(1), CancellationToken.None));

        Assert.Equal((faults, faults > 0), (await host.ScalarAsync<int>("SELECT faults FROM replays"), await host.ScalarAsync<bool>("SELECT error IS NOT NULL FROM replays")));
    }
}
