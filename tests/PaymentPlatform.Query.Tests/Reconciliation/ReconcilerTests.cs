using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Query.Reconciliation;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests.Reconciliation;

/// <summary>How much a run looks at.</summary>
public sealed class ReconcilerTests(PlatformFixture fixture)
{
    [Fact]
    public async Task Run_AllTimes_LooksOnlyAtDaysThatHaveSomething()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var (report, days) = await RunOverAllTimesAsync(platform);
        Assert.True(report.Agrees);
        Assert.Equal((540, 60), (report.Checked.Events, report.Checked.DeadLetters));
        Assert.InRange(days, 1, 3);
    }

    [Fact]
    public async Task Run_Sample_ReadsNoMoreFilesNorBytesThanTheOptionsSay()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var options = platform.Host.App.Services.GetRequiredService<IOptions<QueryOptions>>().Value;
        // A file that is larger than the limit is read alone, and none twice before the others.
        Assert.Equal(1, await ReadAsync(100, 1));
        var sizes = await platform.ScalarAsync<long[]>("SELECT array_agg(byte_size ORDER BY file_id) FROM raw_event_files WHERE state = 'live' AND verified_at IS NULL");
        Assert.True(sizes.Length >= 4);
        Assert.Equal(2, await ReadAsync(100, sizes[0] + sizes[1] + sizes[2] - 1));
        Assert.Equal(1, await ReadAsync(1, 1L << 40));
        Assert.Equal(sizes.Length - 3, await platform.ScalarAsync<long>("SELECT count(*) FROM raw_event_files WHERE state = 'live' AND verified_at IS NULL"));

        async Task<long> ReadAsync(int files, long bytes)
        {
            (options.ReconciliationFiles, options.ReconciliationBytes) = (files, bytes);
            var request = ReconciliationRequest.Of(null, null, ReconciliationDepth.Sample, DateTimeOffset.UtcNow);
            return (await platform.Host.App.Services.GetRequiredService<Reconciler>().RunAsync(request, null, CancellationToken.None)).Checked.Contents;
        }
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("deleted")]
    public async Task Run_FileWithAnInvalidEventOfTheFutureIsAway_LaterDaysAreCompared(string how)
    {
        await using var platform = await ReconciledPlatform.StartAsync(fixture);
        await platform.ArriveEarlierAsync(TimeSpan.FromDays(3));
        await platform.PublishAsync("""{"transaction_id": "tx", "transaction_timestamp": "2047-01-01T00:00:00Z", "amount": 1, "currency": "EUR", "payment_status": "completed"}""");
        await platform.PublishAsync(0, 50);
        await platform.DrainAsync();
        var away = await platform.ScalarAsync<string[]>("SELECT array_agg(blob_name) FROM raw_event_files WHERE state = 'live'");
        Assert.True(await platform.ScalarAsync<bool>("SELECT max(max_transaction_timestamp) = '2047-01-01Z' FROM raw_event_files"));
        await platform.ArriveEarlierAsync(TimeSpan.Zero);
        await platform.PublishAsync(150, 150);
        await platform.DrainAsync();
        if (how == "deleted")
        {
            await platform.Host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'deleting' WHERE blob_name = ANY ($1)", new NpgsqlParameter { Value = away });
            await platform.Host.Archive.ExecuteAsync("UPDATE raw_event_ranges r SET live = false FROM raw_event_files f WHERE f.file_id = r.file_id AND f.state = 'deleting'");
        }
        else
        {
            foreach (var blob in away)
                await platform.Container.DeleteBlobAsync(blob);
        }

        var (report, days) = await RunOverAllTimesAsync(platform);
        Assert.Equal(how == "missing" ? away.Select(_ => FindingKind.BlobMissing) : [], report.Findings.Select(f => f.Kind));
        // A tenth is invalid.
        Assert.Equal((135, 15), (report.Checked.Events, report.Checked.DeadLetters));
        Assert.InRange(days, 3, 6);
    }

    [Fact]
    public async Task Run_ArchiverIsBehind_WaitsForItOnce()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture, new() { ["Query:ReconciliationWait"] = "00:00:00" });
        // Makes it ten days.
        await platform.Host.Archive.ExecuteAsync("UPDATE failed_items SET enqueued_at = enqueued_at - interval '9 days' WHERE id = (SELECT min(id) FROM failed_items)");
        await platform.Host.Archive.ExecuteAsync("UPDATE stream_checkpoints SET next_offset = next_offset + 1000 WHERE consumer_group = 'metrics'");
        var (report, days) = await RunOverAllTimesAsync(platform);
        Assert.True(report.Agrees);
        Assert.Equal(1, days);
        Assert.Equal(["dead_letters", "figures"], report.Skipped.Select(s => s.Check).Order());
        Assert.All(report.Skipped, s => Assert.Contains("archiver", s.Reason));
    }

    /// <returns>The report, and how many days were looked at.</returns>
    private static async Task<(ReconciliationReport Report, int Days)> RunOverAllTimesAsync(ReconciledPlatform platform)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var request = ReconciliationRequest.Of(Timestamps.ToMicros(DateTime.MinValue), Timestamps.ToMicros(DateTime.MaxValue), ReconciliationDepth.Listing, DateTimeOffset.UtcNow);
        var progress = new Lines();
        var report = await platform.Host.App.Services.GetRequiredService<Reconciler>().RunAsync(request, progress, limit.Token);
        return (report, progress.Count(line => line.StartsWith("figures", StringComparison.Ordinal)));
    }

    private sealed class Lines : ConcurrentQueue<string>, IProgress<string>
    {
        public void Report(string value) => Enqueue(value);
    }
}
