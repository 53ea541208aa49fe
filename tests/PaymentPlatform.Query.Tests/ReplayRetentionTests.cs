using System.Globalization;
using Npgsql;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.ReplayHarness;

namespace PaymentPlatform.Query.Tests;

/// <summary>A replay whose files are deleted at the end of their retention.</summary>
public sealed class ReplayRetentionTests(PlatformFixture platform)
{
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

    private static string Time(TestEvent e) => Timestamps.ToDateTime(e.Time!.Value).ToString(Timestamps.Format, CultureInfo.InvariantCulture);

    /// <summary>The archiver gives the file up.</summary>
    private static Task EndRetentionAsync(QueryHost host, int file) =>
        host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'deleting' WHERE file_id = (SELECT file_id FROM raw_event_files ORDER BY min_enqueued_at LIMIT 1 OFFSET $1)", new NpgsqlParameter { Value = file });
}
