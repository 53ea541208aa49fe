using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>A replay into the live stream, whose process is killed: each event comes back once, and counts once everywhere.</summary>
public sealed class ReplayTests : IDisposable
{
    private const int Kills = 3;

    private readonly string _data = Directory.CreateTempSubdirectory("platform-replay-").FullName;

    [Fact]
    public async Task Replay_IntoTheLiveStreamKilledThreeTimes_DeliversOnceInOrderAndCountsNothingTwice()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var hub = await PlatformProcess.RunAsync(_data, "--services ingest,archiver,metrics --simulator off -- --Archiver:FlushAge=00:00:01 --Metrics:FoldInterval=00:00:00.200", cancellationToken: cancellation);
        var connections = await hub.ConnectionsAsync(cancellation);
        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        var traffic = new Traffic(hub.Url, 1_000, seed: 11);
        using (var stop = new CancellationTokenSource(TimeSpan.FromSeconds(5)))
            await traffic.RunAsync(stop.Token);
        await DrainAsync(database, cancellation);
        var live = await DerivedFigures.ReadAsync(database, cancellation);

        var arguments = $"--services query --simulator off --connections {hub.ConnectionsFile} -- --Query:ReplayLease=00:00:03";
        var worker = await PlatformProcess.RunAsync(_data, arguments, cancellationToken: cancellation);
        try
        {
            var (from, to) = (Time(-3), Time(1));
            string replay;
            using (var http = new HttpClient { BaseAddress = worker.Url })
            {
                using var answer = await http.PostAsJsonAsync("v1/replays", new { from, to, target = "payments", allow_live = true, rate = 500 }, cancellation);
                Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
                replay = answer.Headers.Location!.ToString();
            }

            for (var kill = 1; kill <= Kills; kill++)
            {
                var before = await ReplayedAsync(database);
                await Eventually.TrueAsync(async () => await ReplayedAsync(database) > before + 300, "the replay goes on", TimeSpan.FromMinutes(2));
                await worker.KillAsync();
                await worker.DisposeAsync();
                Assert.Equal("running", await ScalarAsync(database, "SELECT state FROM replays"));
                worker = await PlatformProcess.RunAsync(_data, arguments, cancellationToken: cancellation);
            }

            await Eventually.TrueAsync(async () => await ScalarAsync(database, "SELECT state FROM replays") is "done", "the replay is done", TimeSpan.FromMinutes(3));
            await DrainAsync(database, cancellation);

            using var client = new HttpClient { BaseAddress = worker.Url };
            var done = await client.GetFromJsonAsync<JsonElement>(replay, cancellation);
            Assert.Equal((traffic.Accepted.Count, 1 + Kills), (done.GetProperty("events_done").GetInt32(), done.GetProperty("attempts").GetInt32()));
            using (var archive = await Archive.OpenAsync(connections, cancellation))
            {
                Assert.Equal(traffic.Accepted.Count, archive.Count("SELECT count(*) FROM events WHERE origin = 'live'"));
                Assert.Equal(traffic.Accepted.Count, archive.Count($"SELECT count(*) FROM events WHERE origin = 'replay' AND origin_id = '{done.GetProperty("id").GetString()}'"));
                Assert.Equal(0, archive.Count("SELECT count(*) FROM (SELECT message_id FROM events GROUP BY message_id, raw_payload, correlation_id, stream_partition HAVING count(*) FILTER (WHERE origin = 'live') <> 1 OR count(*) FILTER (WHERE origin = 'replay') <> 1)"));
                // In order per key.
                const string order = "SELECT customer_id, list(message_id ORDER BY stream_partition, stream_offset) AS ids FROM events WHERE origin = '{0}' GROUP BY customer_id";
                Assert.Equal(0, archive.Count($"SELECT count(*) FROM ({string.Format(CultureInfo.InvariantCulture, order, "live")}) a JOIN ({string.Format(CultureInfo.InvariantCulture, order, "replay")}) b USING (customer_id) WHERE a.ids <> b.ids"));
                Assert.Equal(archive.Figures(), await Archive.LiveFiguresAsync(connections, cancellation));
            }

            Assert.Equal(live, await DerivedFigures.ReadAsync(database, cancellation));
            Assert.Equal(0L, await ScalarAsync(database, "SELECT count(*) FROM failed_items"));
            Assert.Equal(traffic.Accepted.Count, await CountEventsAsync(client, $"v1/events?from={from}&to={to}", cancellation));
            Assert.Equal(traffic.Accepted.Count, await CountEventsAsync(client, $"v1/events?from={from}&to={to}&origin=replay", cancellation));

            await RebuildAsync(client, database, from, cancellation);
            Assert.Equal(live, await DerivedFigures.ReadAsync(database, cancellation));
        }
        finally
        {
            await worker.DisposeAsync();
        }
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static string Time(int hours) => DateTime.UtcNow.AddHours(hours).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Both groups have read to the end, and nothing waits to be folded.</summary>
    private static Task DrainAsync(NpgsqlDataSource database, CancellationToken cancellation) => Eventually.TrueAsync(
        async () =>
        {
            cancellation.ThrowIfCancellationRequested();
            return await ScalarAsync(database, "SELECT count(DISTINCT consumer_group) = 2 AND max(lag) = 0 AND NOT EXISTS (SELECT FROM metric_deltas) FROM stream_lag") is true;
        },
        "all is consumed",
        TimeSpan.FromMinutes(3));

    /// <summary>Events of chunks that are in the stream, whatever the replay's row knows of them.</summary>
    private static async Task<long> ReplayedAsync(NpgsqlDataSource database) =>
        (long)(await ScalarAsync(database, "SELECT coalesce(max((convert_from(outcome, 'UTF8')::jsonb ->> 'events_done')::bigint), 0) FROM ingest_idempotency WHERE key LIKE 'replay/%'"))!;

    private static async Task<int> CountEventsAsync(HttpClient http, string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Accept", "application/x-ndjson");
        using var answer = await http.SendAsync(request, cancellation);
        return (await answer.Content.ReadAsStringAsync(cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
    }

    private static async Task RebuildAsync(HttpClient http, NpgsqlDataSource database, string from, CancellationToken cancellation)
    {
        using var answer = await http.PostAsJsonAsync("v1/metrics/rebuild", new { from, to = Time(0) }, cancellation);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await Eventually.TrueAsync(async () => await ScalarAsync(database, "SELECT state FROM metric_rebuilds") is "done", "the figures are rebuilt", TimeSpan.FromMinutes(2));
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}
