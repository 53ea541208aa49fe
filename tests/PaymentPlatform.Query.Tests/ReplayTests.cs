using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using PaymentPlatform.Query.Replay;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.ReplayHarness;

namespace PaymentPlatform.Query.Tests;

public sealed class ReplayTests(PlatformFixture platform)
{
    /// <summary>Of 200 events.</summary>
    private const string SmallChunks = "\"rate\": 1000";

    [Fact]
    public async Task Run_Range_PublishesEachEventOnceAsItIsArchived()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Streaming:Partitions"] = "3" });
        var files = RandomArchive.Files(new Random(1), files: 12, rows: 600);
        await ArchiveAsync(host, files);
        var expected = Expected(files);

        var replay = await AskAsync(host);
        Assert.Equal(7200, Number(replay, "events_total"));
        var done = await UntilAsync(host, replay, "done");

        Assert.Equal((expected.Count, expected.Count), (Number(done, "events_done"), Number(done, "events_total")));
        Assert.True(done.GetProperty("events_per_second").GetDouble() > 0);
        Assert.NotNull(Text(done, "ended_at"));
        var delivered = await StreamContents.ReadAsync(host, Target);
        AssertDelivered(expected, delivered);
        var originals = expected.ToDictionary(e => e.MessageId);
        Assert.All(delivered, m =>
        {
            var original = originals[m.MessageId];
            Assert.Equal((Key(original), Encoding.UTF8.GetString(original.RawPayload), "replay", Text(replay, "id")), (m.PartitionKey, m.Body, m.Origin, m.OriginId));
        });
        Assert.Equal([0, 1, 2], delivered.Select(m => m.Partition).Distinct().Order());
    }

    [Fact]
    public async Task Target_LookedIntoAndDropped_AsTheDocumentSays()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var files = RandomArchive.Files(new Random(3), files: 1, rows: 20);
        await ArchiveAsync(host, files);
        await UntilAsync(host, await AskAsync(host), "done");
        var document = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "operations.md"));
        var recipe = document[document.IndexOf("-- how much is in it", StringComparison.Ordinal)..];
        await host.Archive.ExecuteAsync(recipe[..recipe.IndexOf("```", StringComparison.Ordinal)].Replace("payments-audit", Target));

        Assert.Equal(0, await host.ScalarAsync<long>($"SELECT count(*) FROM stream_logs WHERE stream = '{Target}'"));
        Assert.Equal(0, await host.ScalarAsync<long>("SELECT count(*) FROM stream_batches b WHERE NOT EXISTS (SELECT FROM stream_logs l WHERE l.log_id = b.log_id)"));
        // It is made anew.
        await UntilAsync(host, await AskAsync(host), "done");
        AssertDelivered(Expected(files), await StreamContents.ReadAsync(host, Target));
    }

    [Theory]
    [InlineData("""{"merchant_id": "Müller & Söhne"}""")]
    [InlineData("""{"customer_id": "c-1", "payment_status": "completed"}""")]
    [InlineData("""{"transaction_id": "t-7"}""")]
    [InlineData("""{"payment_method": "bank_transfer", "currency": "JPY", "min_amount": 12.5, "max_amount": 80}""")]
    [InlineData("""{"is_valid": true}""")]
    [InlineData("""{"is_valid": false}""")]
    [InlineData("""{"origin": "replay"}""")]
    [InlineData("""{"origin": "resubmission"}""")]
    [InlineData("""{"merchant_id": "nobody"}""")]
    public async Task Run_Filter_PublishesWhatItSays(string filter)
    {
        await using var host = await QueryHost.StartAsync(platform);
        var files = RandomArchive.Files(new Random(2), files: 4, rows: 500);
        await ArchiveAsync(host, files);
        var wanted = JsonElement.Parse(filter).EnumerateObject().ToDictionary(m => m.Name, m => m.Value.ToString());

        var done = await UntilAsync(host, await AskAsync(host, $"\"filter\": {filter}"), "done");

        var expected = files.SelectMany(f => f).Where(e => Matches(e, wanted)).OrderBy(e => e.EnqueuedAt).ThenBy(e => e.Partition).ThenBy(e => e.Offset).ToList();
        Assert.Equal(wanted.ContainsValue("nobody"), expected.Count == 0);
        AssertDelivered(expected, await StreamContents.ReadAsync(host, Target));
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(filter), done.GetProperty("filter")));
    }

    /// <summary>What is refused today was taken once, and matched nothing.</summary>
    [Fact]
    public async Task Run_StoredFilterNotUnderstoodAnyMore_FailsAndPublishesNothing()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await ArchiveAsync(host, RandomArchive.Files(new Random(13), files: 1, rows: 50));
        foreach (var (member, filter) in ((string, string)[])[
            ("currency", """{"currency": "eur"}"""), ("payment_status", """{"payment_status": "SUCCEEDED"}"""), ("origin", """{"origin": "LIVE"}"""),
            ("min_amount", """{"min_amount": 5, "max_amount": 1}"""), ("merchant", """{"merchant": "M-1"}"""), ("merchant_id", """{"merchant_id": ["M-1"]}""")])
        {
            var failed = await UntilAsync(host, await StoreAsync(host, filter), "failed");
            Assert.StartsWith($"Its filter's member '{member}' is no longer understood: ", Text(failed, "error"));
            Assert.EndsWith("Make a new replay. What was published stays.", Text(failed, "error"));
        }

        Assert.Empty(await StreamContents.ReadAsync(host, Target));
    }

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
            Assert.Contains(Text(JsonElement.Parse(await response.Content.ReadAsStringAsync()), "state"), (string[])["stopping", "stopped"]);
        // The process hears of it within a second, and then notes what it had done.
        await Eventually.TrueAsync(async () => Text(await host.GetAsync($"/v1/replays/{Text(replay, "id")}"), "state") == "stopped", "the process has let go");

        var stopped = await host.GetAsync($"/v1/replays/{Text(replay, "id")}");
        Assert.Equal("stopped", Text(stopped, "state"));
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
    public async Task Run_Rate_IsKept()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var host = await QueryHost.StartAsync(platform, services: services => services.AddSingleton<TimeProvider>(clock));
        var files = RandomArchive.Files(new Random(6), files: 1, rows: 400);
        await ArchiveAsync(host, files);
        var expected = Expected(files);
        var replay = await AskAsync(host, "\"rate\": 50");
        // It began after the last look that did not find it running.
        var began = clock.GetUtcNow();
        await Eventually.TrueAsync(
            async () =>
            {
                if (await IsRunningAsync(host))
                    return true;
                began = clock.GetUtcNow();
                clock.Advance(TimeSpan.FromMilliseconds(200));
                return false;
            },
            "the replay begins");

        while (Text(await host.GetAsync($"/v1/replays/{Text(replay, "id")}"), "state") != "done")
        {
            // A chunk of ten at once, then fifty a second.
            var published = (await StreamContents.ReadAsync(host, Target)).Count;
            Assert.True(published <= 10 + (50 * (clock.GetUtcNow() - began).TotalSeconds), $"{published} after {clock.GetUtcNow() - began}");
            clock.Advance(TimeSpan.FromMilliseconds(50));
        }

        AssertDelivered(expected, await StreamContents.ReadAsync(host, Target));
        Assert.True((clock.GetUtcNow() - began).TotalSeconds >= (expected.Count - 10) / 50.0);
    }

    [Fact]
    public async Task Take_TokenBucket_NeverMoreThanRateAndBurst()
    {
        var clock = new FakeTimeProvider();
        var bucket = new TokenBucket(10, 5, clock);
        Assert.True(bucket.TakeAsync(5, CancellationToken.None).IsCompletedSuccessfully);
        var next = bucket.TakeAsync(1, CancellationToken.None);
        Assert.False(next.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(101));
        await next;
        // A long pause brings a burst and no more.
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(bucket.TakeAsync(5, CancellationToken.None).IsCompletedSuccessfully);
        Assert.False(bucket.TakeAsync(1, CancellationToken.None).IsCompleted);
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

    [Fact]
    public async Task Run_ArchivedLater_IsNotItsBusiness()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var host = await QueryHost.StartAsync(platform, services: services => services.AddSingleton<TimeProvider>(clock));
        var files = RandomArchive.Files(new Random(11), files: 2, rows: 200);
        await ArchiveAsync(host, files);
        var replay = await AskAsync(host, "\"allow_live\": true", target: "payments");
        // Its own events among them: the archive has the same times and partitions, at later offsets.
        await ArchiveAsync(host, [.. files.Select(f => f.ConvertAll(e => e with { Offset = e.Offset + 1_000_000, MessageId = $"later-{e.MessageId}" }))]);

        await AdvanceUntilAsync(clock, async () => Text(await host.GetAsync($"/v1/replays/{Text(replay, "id")}"), "state") == "done");

        AssertDelivered(Expected(files), await StreamContents.ReadAsync(host, "payments"));
    }

    [Fact]
    public async Task Run_PartitionThatWasBehind_LeavesOutWhatItArchivedLater()
    {
        await using var host = await QueryHost.StartAsync(platform);
        // It begins with what arrived before the other partition's event, and is archived after the call.
        List<TestEvent> early = [.. Enumerable.Range(0, 305).Select(i => At(partition: 1, offset: i, arrival: i))];
        List<List<TestEvent>> files = [[At(partition: 0, offset: 0, arrival: 1000)], early[..5]];
        await ArchiveAsync(host, files);
        await host.Archive.AddFileAsync(early[5..]);

        // A page is 100 events.
        await UntilAsync(host, await AskAsync(host, "\"rate\": 3"), "done");

        AssertDelivered(Expected(files), await StreamContents.ReadAsync(host, Target));
    }

    [Theory]
    [InlineData(0, "done")]
    [InlineData(1, "failed")]
    [InlineData(2, "failed")]
    public async Task Run_FileDeletedMeanwhile_FailsUnlessItIsPassed(int deleted, string state)
    {
        await using var host = await QueryHost.StartAsync(platform, services: FaultyTargets.AddTo);
        List<List<TestEvent>> files = [.. Enumerable.Range(0, 3).Select(f => Enumerable.Range(f * 300, 300).Select(i => At(partition: 0, offset: i, arrival: i)).ToList())];
        await ArchiveAsync(host, files);
        FaultyTargets.Of(host).Before = async call =>
        {
            if (call != 3)
                return;
            // Two chunks are published: the first file, and a part of the second.
            await EndRetentionAsync(host, deleted);
            throw new InvalidOperationException("killed before the append");
        };

        var ended = await UntilAsync(host, await AskAsync(host, SmallChunks), state, () => host.Archive.ExecuteAsync("UPDATE replays SET not_before = NULL WHERE state = 'waiting'"));

        Assert.Equal(state == "done" ? 900 : 400, Number(ended, "events_done"));
        if (state == "failed")
            Assert.StartsWith($"1 of the archive files of its range, with events up to {Time(files[deleted][^1])}, is deleted at the end of its retention", Text(ended, "error"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"filter\": {\"is_valid\": false}")]
    public async Task Run_FileDeletedBefore_FailsAndARangeBehindItIsDone(string filter)
    {
        await using var host = await QueryHost.StartAsync(platform);
        List<List<TestEvent>> files = [.. Enumerable.Range(0, 2).Select(f => Enumerable.Range(f * 10, 10).Select(i => At(partition: 0, offset: i, arrival: i) with { IsValid = i % 2 == 0 }).ToList())];
        await ArchiveAsync(host, files);
        await EndRetentionAsync(host, 0);

        var failed = await UntilAsync(host, await AskAsync(host, filter), "failed");
        Assert.Contains("at the end of its retention", Text(failed, "error"));
        Assert.Equal(0, Number(failed, "events_done"));
        var behind = await UntilAsync(host, await AskAsync(host, filter, from: Time(files[1][0])), "done");
        Assert.Equal(filter.Length == 0 ? 10 : 5, Number(behind, "events_done"));
    }

    [Theory]
    [InlineData("", 2)]
    [InlineData("\"filter\": {\"is_valid\": true}", 1)]
    [InlineData("\"filter\": {\"is_valid\": false}", 1)]
    public async Task Run_DeletedFileHadAnInvalidEventOfTheFuture_LaterRangesAreDone(string filter, int events)
    {
        await using var host = await QueryHost.StartAsync(platform);
        var (day, hour) = (86_400_000_000L, 3_600_000_000L);
        List<List<TestEvent>> files =
        [
            [At(partition: 0, offset: 0, arrival: 0), At(partition: 0, offset: 1, arrival: 1) with { Time = RandomArchive.Start + (300 * day), IsValid = false }],
            [At(partition: 0, offset: 2, arrival: 2 * hour), At(partition: 0, offset: 3, arrival: 2 * hour) with { IsValid = false }],
        ];
        await ArchiveAsync(host, files);
        await EndRetentionAsync(host, 0);

        Assert.Equal(events, Number(await UntilAsync(host, await AskAsync(host, filter, from: Time(files[1][0])), "done"), "events_done"));
        Assert.Contains($"with events up to {Time(files[0][0])[..13]}", Text(await UntilAsync(host, await AskAsync(host, filter), "failed"), "error"));
    }

    [Fact]
    public async Task Run_EventTooLargeForTheTarget_FailsAndGoesOnWithoutIt()
    {
        await using var host = await QueryHost.StartAsync(platform);
        List<TestEvent> events = [.. Enumerable.Range(0, 10).Select(i => At(partition: 0, offset: i, arrival: i) with { RawPayload = i == 4 ? TooLarge : Encoding.UTF8.GetBytes("{}") })];
        await ArchiveAsync(host, [events]);
        var replay = await AskAsync(host);
        Assert.StartsWith("The event with the message id '0-4' has 1048577 bytes", Text(await UntilAsync(host, replay, "failed"), "error"));

        using (var response = await host.Client.PostAsync($"/v1/replays/{Text(replay, "id")}/resume?on_oversized=skip", null))
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var done = await UntilAsync(host, replay, "done");

        Assert.Equal((9, 1, 10, "skip"), (Number(done, "events_done"), Number(done, "events_skipped"), Number(done, "events_total"), Text(done, "on_oversized")));
        var skipped = Assert.Single(done.GetProperty("skipped").EnumerateArray());
        Assert.Equal(("0-4", "log-1", 0, 4, 1_048_577), (Text(skipped, "message_id"), Text(skipped, "stream_log_id"), Number(skipped, "stream_partition"), Number(skipped, "stream_offset"), Number(skipped, "bytes")));
        AssertDelivered(events.Where(e => e.Offset != 4), await StreamContents.ReadAsync(host, Target));
        var described = (await host.GetAsync("/openapi/v1.json")).GetProperty("components").GetProperty("schemas").GetProperty("Replay").GetProperty("properties");
        Assert.Equal(described.EnumerateObject().Select(p => p.Name).Order(), done.EnumerateObject().Select(p => p.Name).Order());
    }

    /// <summary>Alone in its chunk, first and last in one, and more than are named.</summary>
    [Fact]
    public async Task Run_SkipsEventsTooLargeAndIsKilled_CountsEachOnce()
    {
        await using var host = await QueryHost.StartAsync(platform, services: FaultyTargets.AddTo);
        int[] large = [0, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 20];
        List<TestEvent> events = [.. Enumerable.Range(0, 21).Select(i => At(partition: 0, offset: i, arrival: i) with { RawPayload = large.Contains(i) ? TooLarge : Encoding.UTF8.GetBytes("{}") })];
        await ArchiveAsync(host, [events]);
        var appends = 0;
        FaultyTargets.Of(host).After = _ => Interlocked.Increment(ref appends) is 1 or 3 or 8 or 14 ? throw new InvalidOperationException("killed after the append") : Task.CompletedTask;

        // Chunks of two events.
        var replay = await AskAsync(host, "\"rate\": 10, \"on_oversized\": \"skip\"");
        var done = await UntilAsync(host, replay, "done", () => host.Archive.ExecuteAsync("UPDATE replays SET not_before = NULL, position = NULL, events_done = 0 WHERE state = 'waiting' AND attempts > 0"));

        Assert.Equal((9, 12, 21), (Number(done, "events_done"), Number(done, "events_skipped"), Number(done, "events_total")));
        Assert.Equal(large.Take(10), done.GetProperty("skipped").EnumerateArray().Select(s => (int)Number(s, "stream_offset")));
        AssertDelivered(events.Where(e => !large.Contains((int)e.Offset)), await StreamContents.ReadAsync(host, Target));
    }

    /// <summary>An attempt that leaves events out gets on as well as one that publishes some.</summary>
    [Fact]
    public async Task Run_KilledAgainAndAgainAmongEventsTooLarge_GoesOn()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:ReplayAttempts"] = "2" }, services: FaultyTargets.AddTo);
        await ArchiveAsync(host, [[.. Enumerable.Range(0, 8).Select(i => At(partition: 0, offset: i, arrival: i) with { RawPayload = TooLarge })]]);
        var appends = 0;
        // Each attempt finds the chunk before in the target, and takes one more.
        FaultyTargets.Of(host).After = _ => Interlocked.Increment(ref appends) % 2 == 1 ? throw new InvalidOperationException("killed after the append") : Task.CompletedTask;

        // Chunks of two events.
        var replay = await AskAsync(host, "\"rate\": 10, \"on_oversized\": \"skip\"");
        var done = await UntilAsync(host, replay, "done", () => host.Archive.ExecuteAsync("UPDATE replays SET not_before = NULL WHERE state = 'waiting' AND attempts > 0"));

        Assert.Equal((0, 8), (Number(done, "events_done"), Number(done, "events_skipped")));
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

    [Fact]
    public async Task Run_EarlierEventHasTheSizeThatTheTargetNames_LeavesOutTheOneThatIsTooLarge()
    {
        await using var host = await QueryHost.StartAsync(platform);
        // The target names the bytes of the large one's ids and key.
        var id = new string('m', 1 << 16);
        List<TestEvent> events = [.. Enumerable.Range(0, 4).Select(i => At(partition: 0, offset: i, arrival: i) with { RawPayload = Encoding.UTF8.GetBytes("{}") })];
        events[2] = events[2] with { MessageId = id };
        events[0] = events[0] with { RawPayload = Encoding.UTF8.GetBytes($"\"{new string('x', id.Length + Key(events[2]).Length - 2)}\"") };
        await ArchiveAsync(host, [events]);

        var done = await UntilAsync(host, await AskAsync(host, "\"on_oversized\": \"skip\""), "done");

        Assert.Equal(2, Number(Assert.Single(done.GetProperty("skipped").EnumerateArray()), "stream_offset"));
        AssertDelivered(events.Where(e => e.Offset != 2), await StreamContents.ReadAsync(host, Target));
    }

    [Fact]
    public async Task Run_NothingArchived_IsDone()
    {
        await using var host = await QueryHost.StartAsync(platform);

        var done = await UntilAsync(host, await AskAsync(host), "done");

        Assert.Equal((0L, 0L), (Number(done, "events_done"), Number(done, "events_total")));
    }

    [Fact]
    public async Task Run_OverKafka_NeedsTheTopicAndGivesEachEventOneIdentity()
    {
        using var broker = new MockKafka();
        await using var host = await QueryHost.StartAsync(
            platform, new() { ["Streaming:Transport"] = "Kafka", ["ConnectionStrings:payments"] = broker.Address }, services: FaultyTargets.AddTo);
        var files = RandomArchive.Files(new Random(12), files: 4, rows: 600);
        await ArchiveAsync(host, files);
        var replay = await AskAsync(host, SmallChunks);
        var failed = await UntilAsync(host, replay, "failed");
        Assert.StartsWith($"There is no topic '{Target}' at the Kafka brokers {broker.Address}: make it, or correct the name.", Text(failed, "error"));

        broker.CreateTopic(Target, 3);
        FaultyTargets.Of(host).After = call => call is 2 or 4 ? KillBeforeTheClaimEndsAsync(host, chunk: 1) : Task.CompletedTask;
        using (var response = await host.Client.PostAsync($"/v1/replays/{Text(replay, "id")}/resume", null))
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        await UntilAsync(host, replay, "done", () => host.Archive.ExecuteAsync("UPDATE replays SET not_before = NULL, faults = 0, position = NULL, events_done = 0 WHERE state = 'waiting' AND attempts > 0"));

        var expected = Expected(files);
        var delivered = KafkaTopic.Read(broker, Target);
        // A consumer that knows nothing of identities sees some again.
        Assert.True(delivered.Count > expected.Count, $"{delivered.Count} of {expected.Count}");
        AssertDelivered(expected, [.. delivered.DistinctBy(m => m.Identity).Select(m => m.Message)]);
    }

    [Fact]
    public async Task Run_OverKafkaThatTakesMoreAtTheRepeat_KeepsTheIdentities()
    {
        using var broker = new MockKafka();
        broker.CreateTopic(Target, 1);
        var database = await platform.CreateDatabaseAsync();
        Dictionary<string, string?> settings = new() { ["Streaming:Transport"] = "Kafka", ["ConnectionStrings:payments"] = broker.Address, ["Streaming:Kafka:MaxMessageBytes"] = "10000" };
        List<TestEvent> events = [.. Enumerable.Range(0, 4).Select(i => At(partition: 0, offset: i, arrival: i) with { RawPayload = Encoding.UTF8.GetBytes(i == 1 ? $"\"{new string('x', 10_000)}\"" : "{}") })];
        await using (var first = await QueryHost.StartAsync(platform, settings, database, FaultyTargets.AddTo))
        {
            FaultyTargets.Of(first).After = _ => KillBeforeTheClaimEndsAsync(first, chunk: 0);
            await ArchiveAsync(first, [events]);
            await AskAsync(first, "\"on_oversized\": \"skip\"");
            await Eventually.TrueAsync(() => first.ScalarAsync<bool>("SELECT state = 'waiting' AND attempts > 0 FROM replays"), "the replay is killed");
        }

        await using var second = await QueryHost.StartAsync(platform, new(settings) { ["Streaming:Kafka:MaxMessageBytes"] = "20000" }, database);
        await Eventually.TrueAsync(() => second.ScalarAsync<bool>("SELECT state = 'done' FROM replays"), "the replay is done");

        var delivered = KafkaTopic.Read(broker, Target);
        Assert.Equal(7, delivered.Count);
        Assert.Equal(events.Select(e => e.MessageId), delivered.DistinctBy(m => m.Identity).Select(m => m.Message.MessageId).Order(StringComparer.Ordinal));
    }

    /// <summary>The chunk is sent, which is noted nowhere: its claim looks as though it were still being sent.</summary>
    private static async Task KillBeforeTheClaimEndsAsync(QueryHost host, int chunk)
    {
        await host.Archive.ExecuteAsync($"UPDATE ingest_idempotency SET sending_until = clock_timestamp() WHERE key LIKE 'replay/%/{chunk}'");
        throw new InvalidOperationException("killed");
    }

    private static byte[] TooLarge { get; } = Encoding.UTF8.GetBytes($"\"{new string('x', (1 << 20) - 1)}\"");

    private static bool Matches(TestEvent e, Dictionary<string, string> filter)
    {
        return (e.Time is not null || filter.GetValueOrDefault("is_valid") == "False")
            && Is("merchant_id", e.MerchantId) && Is("customer_id", e.CustomerId) && Is("transaction_id", e.TransactionId)
            && Is("payment_status", e.PaymentStatus) && Is("payment_method", e.PaymentMethod) && Is("currency", e.Currency) && Is("is_valid", e.IsValid ? "True" : "False")
            && (filter.ContainsKey("origin") ? Is("origin", e.Origin) : e.Origin != "replay")
            && (!filter.TryGetValue("min_amount", out var min) || Amount(e) >= Exact(min)) && (!filter.TryGetValue("max_amount", out var max) || Amount(e) <= Exact(max));

        bool Is(string name, string? value) => !filter.TryGetValue(name, out var wanted) || wanted == value;
    }

    private static decimal? Amount(TestEvent e) => e.Amount is null ? null : Exact(e.Amount);

    private static decimal Exact(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);

    private static TestEvent At(int partition, long offset, long arrival) => new()
    {
        Partition = partition, Offset = offset, EnqueuedAt = RandomArchive.Start + arrival, Time = RandomArchive.Start + arrival, CustomerId = $"c-{partition}", MessageId = $"{partition}-{offset}",
    };

    private static string Time(TestEvent e) => Timestamps.ToDateTime(e.Time!.Value).ToString(Timestamps.Format, CultureInfo.InvariantCulture);

    /// <summary>The archiver gives the file up.</summary>
    private static Task EndRetentionAsync(QueryHost host, int file) =>
        host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'deleting' WHERE file_id = (SELECT file_id FROM raw_event_files ORDER BY min_enqueued_at LIMIT 1 OFFSET $1)", new NpgsqlParameter { Value = file });

    private static Task<bool> IsRunningAsync(QueryHost host) => host.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM replays WHERE state = 'running')");

    /// <summary>The service looks for work once a second of its clock.</summary>
    private static Task AdvanceUntilAsync(FakeTimeProvider clock, Func<Task<bool>> condition) => Eventually.TrueAsync(
        async () =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(200));
            return await condition();
        },
        "the replay is taken up");
}
