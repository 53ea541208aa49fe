using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>Several processes share the work over one infrastructure, and are killed, paused and woken.</summary>
public sealed class KillTests : IDisposable
{
    private static readonly Dictionary<string, string> QuickLeases = new()
    {
        ["Streaming__LeaseDuration"] = "00:00:02",
        ["Archiver__FlushAge"] = "00:00:01",
        ["Archiver__MaxRetryDelay"] = "00:00:01",
        ["Archiver__PendingTimeout"] = "00:00:05",
        ["Archiver__SweepInterval"] = "00:00:02",
    };

    private readonly string _data = Directory.CreateTempSubdirectory("platform-kill-").FullName;

    [Fact]
    public async Task Kill_ArchiverAndMetricsTwentyTimesUnderLoad_ArchiveHasEachEventOnceAndFiguresAgree()
    {
        var cancellation = TestContext.Current.CancellationToken;
        const int kills = 20;
        var random = new Random(20251205);
        await using var hub = await PlatformProcess.RunAsync(_data, "--services ingest,query --simulator off", QuickLeases, cancellation);
        var victims = new[] { Worker(hub, "archiver"), Worker(hub, "metrics") };
        try
        {
            var traffic = new Traffic(hub.Url, 2000, seed: 7);
            using var stop = new CancellationTokenSource();
            var sending = Task.Run(() => traffic.RunAsync(stop.Token), cancellation);

            for (var i = 0; i < kills; i++)
            {
                // A fresh process is up after about a second and a half: from "not started" to "in the middle of a flush", all moments are hit.
                await Task.Delay(random.Next(500, 4000), cancellation);
                for (var v = 0; v < victims.Length; v++)
                {
                    Assert.False(victims[v].HasExited, victims[v].Output);
                    await victims[v].KillAsync();
                    await victims[v].DisposeAsync();
                    victims[v] = Worker(hub, v == 0 ? "archiver" : "metrics");
                }
            }

            await stop.CancelAsync();
            await sending;
            await DrainedAsync(hub, cancellation);
            await AssertExactlyOnceAsync(hub, traffic.Accepted, cancellation);
            foreach (var victim in victims)
                Assert.Equal(0, await victim.StopAsync(cancellation));
        }
        finally
        {
            foreach (var victim in victims)
                await victim.DisposeAsync();
        }
    }

    [Fact]
    public async Task Pause_ArchiverPastItsLeaseWhileAnotherTakesOver_NothingIsAddedTwice()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var hub = await PlatformProcess.RunAsync(_data, "--services ingest,query,metrics --simulator off", QuickLeases, cancellation);
        var traffic = new Traffic(hub.Url, 1000, seed: 8);
        using var stop = new CancellationTokenSource();
        var sending = Task.Run(() => traffic.RunAsync(stop.Token), cancellation);
        await using var first = Worker(hub, "archiver");
        await first.WaitUntilHealthyAsync(cancellation);
        await ArchivedAsync(hub, 2000, cancellation);

        for (var i = 0; i < 3; i++)
        {
            first.Pause();
            await using var second = await RunWorkerAsync(hub, "archiver", cancellation);
            var before = await CountArchivedAsync(hub, cancellation);
            await ArchivedAsync(hub, before + 4000, cancellation);
            var told = first.LogLines("Lost ", "Reading ").Count;
            first.Continue();
            // It has met its fence, or its lost lease: either is in its log.
            await Eventually.TrueAsync(() => first.LogLines("Lost ", "Reading ").Count > told, "the woken archiver finds that it was overtaken");
            Assert.Equal(0, await second.StopAsync(cancellation));
        }

        await stop.CancelAsync();
        await sending;
        await DrainedAsync(hub, cancellation);
        await AssertExactlyOnceAsync(hub, traffic.Accepted, cancellation);
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private PlatformProcess Worker(PlatformProcess hub, string services) =>
        PlatformProcess.Start(hub.DataDirectory, $"--services {services} --simulator off --connections {hub.ConnectionsFile}", QuickLeases);

    private async Task<PlatformProcess> RunWorkerAsync(PlatformProcess hub, string services, CancellationToken cancellation)
    {
        var worker = Worker(hub, services);
        await worker.WaitUntilHealthyAsync(cancellation);
        return worker;
    }

    private static async Task<long> CountArchivedAsync(PlatformProcess hub, CancellationToken cancellation)
    {
        await using var database = NpgsqlDataSource.Create((await hub.ConnectionsAsync(cancellation)).Paymentsdb);
        await using var command = database.CreateCommand("SELECT coalesce(sum(row_count), 0)::bigint FROM raw_event_files WHERE state = 'live'");
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    private static async Task ArchivedAsync(PlatformProcess hub, long count, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(TimeSpan.FromMinutes(2));
        while (await CountArchivedAsync(hub, patience.Token) < count)
            await Task.Delay(200, patience.Token);
    }

    /// <summary>Both groups have read to the end, by the platform's own account.</summary>
    private static async Task DrainedAsync(PlatformProcess hub, CancellationToken cancellation)
    {
        using var http = new HttpClient { BaseAddress = hub.Url };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(TimeSpan.FromMinutes(3));
        while (true)
        {
            var pipeline = await http.GetFromJsonAsync<JsonElement>("v1/pipeline", patience.Token);
            var items = pipeline.GetProperty("items").EnumerateArray().ToList();
            if (items.Count > 0 && items.Select(i => i.GetProperty("consumer_group").GetString()).Distinct().Count() == 2 && items.All(i => i.GetProperty("lag").GetInt64() == 0))
                return;
            await Task.Delay(250, patience.Token);
        }
    }

    private static async Task AssertExactlyOnceAsync(PlatformProcess hub, HashSet<string> accepted, CancellationToken cancellation)
    {
        var connections = await hub.ConnectionsAsync(cancellation);
        using var archive = await Archive.OpenAsync(connections, cancellation);
        Assert.Equal(accepted.Count, archive.Count("SELECT count(*) FROM events"));
        Assert.Equal(accepted.Count, archive.Count("SELECT count(DISTINCT (stream_log_id, stream_partition, stream_offset)) FROM events"));
        Assert.Equal(accepted.Count, archive.Count("SELECT count(DISTINCT message_id) FROM events"));
        Assert.Empty(accepted.Except(archive.Query("SELECT transaction_id FROM events").Select(row => (string)row[0]!)));
        Assert.Equal(archive.Figures(), await Archive.LiveFiguresAsync(connections, cancellation));
    }
}
