using System.Net;
using System.Text;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.ReplayHarness;

namespace PaymentPlatform.Query.Tests;

/// <summary>Events that are too large for the target of a replay.</summary>
public sealed class ReplayOversizedTests(PlatformFixture platform)
{
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

    private static byte[] TooLarge { get; } = Encoding.UTF8.GetBytes($"\"{new string('x', (1 << 20) - 1)}\"");
}
