using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>What is computed again from the archive equals what was computed live.</summary>
public sealed class RebuildTests : IDisposable
{
    /// <summary>DeltaFolder.LockKey: folds, and the swap of a rebuild, take it.</summary>
    private const long FoldLock = 0x4D4554464F4C4453;

    private readonly string _data = Directory.CreateTempSubdirectory("platform-rebuild-").FullName;

    [Fact]
    public async Task Rebuild_LateEventsTrafficAndKills_EqualsTheLiveFigures()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var hub = await PlatformProcess.RunAsync(_data, "--services ingest,archiver,query --simulator off -- --Archiver:FlushAge=00:00:01", cancellationToken: cancellation);
        var connections = await hub.ConnectionsAsync(cancellation);
        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        using var http = new HttpClient { BaseAddress = hub.Url };
        var arguments = $"--services metrics --simulator off --connections {hub.ConnectionsFile} -- --Metrics:FoldInterval=00:00:00.200";
        var worker = PlatformProcess.Start(_data, arguments);
        try
        {
            await SendAsync(hub.Url, seed: 1, seconds: 4);
            await DrainAsync(http, database, cancellation);
            var live = await DerivedFigures.ReadAsync(database, cancellation);
            Assert.All(["figure|", "histogram|", "hit|", "bucket|", "sample|"], kind => Assert.Contains(live, row => row.StartsWith(kind, StringComparison.Ordinal)));

            // What somebody spoiled is right again.
            await ExecuteAsync(database, "UPDATE payment_metrics_5m SET total_count = total_count + 7; DELETE FROM aggregate_histograms; DELETE FROM rule_buckets; UPDATE dynamic_metrics SET metric_value = 4711");
            var rebuild = await RebuildAsync(http, cancellation);
            Assert.Equal((1, "done"), (rebuild.GetProperty("attempts").GetInt32(), rebuild.GetProperty("state").GetString()));
            Assert.Equal(live, await DerivedFigures.ReadAsync(database, cancellation));

            // Killed at the door of the swap, while events of the range go on coming.
            using var stop = new CancellationTokenSource();
            var traffic = new Traffic(hub.Url, 1_000, seed: 2);
            var sending = Task.Run(() => traffic.RunAsync(stop.Token), cancellation);
            string id;
            await using (var door = await database.OpenConnectionAsync(cancellation))
            {
                await ExecuteAsync(door, $"SELECT pg_advisory_lock({FoldLock})");
                id = await AskAsync(http, cancellation);
                await Eventually.TrueAsync(async () => await ScalarAsync(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") is 1L, "the rebuild waits at the door");
                await worker.KillAsync();
                await worker.DisposeAsync();
                Assert.Equal("running", (await GetAsync(http, id, cancellation)).GetProperty("state").GetString());
                Assert.Equal(1L, await ScalarAsync(database, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'"));
                await ExecuteAsync(door, $"SELECT pg_advisory_unlock({FoldLock})");
            }

            worker = PlatformProcess.Start(_data, arguments);
            rebuild = await DoneAsync(http, id, cancellation);
            await stop.CancelAsync();
            await sending;
            Assert.Equal((2, "done"), (rebuild.GetProperty("attempts").GetInt32(), rebuild.GetProperty("state").GetString()));
            await DrainAsync(http, database, cancellation);
            using (var archive = await Archive.OpenAsync(connections, cancellation))
                Assert.Equal(archive.Figures(), await Archive.LiveFiguresAsync(connections, cancellation));
            live = await DerivedFigures.ReadAsync(database, cancellation);

            await RebuildAsync(http, cancellation);
            Assert.Equal(live, await DerivedFigures.ReadAsync(database, cancellation));
            Assert.Equal(0L, await ScalarAsync(database, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'"));
        }
        finally
        {
            await worker.DisposeAsync();
        }
    }

    [Fact]
    public async Task Rebuild_AfterCompaction_EqualsTheLiveFigures()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var platform = await PlatformProcess.RunAsync(
            _data, "--simulator off -- --Archiver:FlushAge=00:00:00.300 --Archiver:CompactionInterval=00:00:01 --Archiver:CompactionDelay=00:00:00", cancellationToken: cancellation);
        var connections = await platform.ConnectionsAsync(cancellation);
        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        using var http = new HttpClient { BaseAddress = platform.Url };
        await SendAsync(platform.Url, seed: 4, seconds: 4);
        await DrainAsync(http, database, cancellation);
        var live = await DerivedFigures.ReadAsync(database, cancellation);

        // As if they were of an hour that is over: merged files lie in the hour of their events again.
        var container = new Azure.Storage.Blobs.BlobContainerClient(connections.Blobs, "raw-events");
        var files = new List<string>();
        await using (var command = database.CreateCommand("SELECT blob_name FROM raw_event_files WHERE state = 'live'"))
        await using (var reader = await command.ExecuteReaderAsync(cancellation))
        {
            while (await reader.ReadAsync(cancellation))
                files.Add(reader.GetString(0));
        }

        foreach (var name in files)
            await container.GetBlobClient(Closed(name)).SyncCopyFromUriAsync(container.GetBlobClient(name).GenerateSasUri(Azure.Storage.Sas.BlobSasPermissions.Read, DateTimeOffset.UtcNow.AddHours(1)), cancellationToken: cancellation);
        await ExecuteAsync(database, $"UPDATE raw_event_files SET blob_name = '{Closed("")}' || substring(blob_name FROM '[^/]*$') WHERE state = 'live'");
        await Eventually.TrueAsync(async () => await ScalarAsync(database, "SELECT count(*) FROM raw_event_files WHERE state = 'superseded'") is long superseded && superseded == files.Count, "all are merged");
        Assert.InRange(files.Count, 5, int.MaxValue);

        await ExecuteAsync(database, "UPDATE payment_metrics_5m SET total_count = total_count + 7; DELETE FROM aggregate_histograms; DELETE FROM rule_buckets; UPDATE dynamic_metrics SET metric_value = 4711");
        Assert.Equal("done", (await RebuildAsync(http, cancellation)).GetProperty("state").GetString());
        Assert.Equal(live, await DerivedFigures.ReadAsync(database, cancellation));

        static string Closed(string name) => $"raw_events/yyyy=2020/mm=01/dd=01/hh=00/{name[(name.LastIndexOf('/') + 1)..]}";
    }

    [Fact]
    public async Task Rebuild_BlobMissing_IsRefusedAndLeavesTheOldFigures()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var platform = await PlatformProcess.RunAsync(_data, "--simulator off -- --Archiver:FlushAge=00:00:01 --Archiver:RestoreInterval=01:00:00", cancellationToken: cancellation);
        var connections = await platform.ConnectionsAsync(cancellation);
        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        using var http = new HttpClient { BaseAddress = platform.Url };
        await SendAsync(platform.Url, seed: 3, seconds: 1);
        await DrainAsync(http, database, cancellation);
        var live = await DerivedFigures.ReadAsync(database, cancellation);
        var blob = (string)(await ScalarAsync(database, "SELECT blob_name FROM raw_event_files WHERE state = 'live' ORDER BY file_id LIMIT 1"))!;
        await new Azure.Storage.Blobs.BlobContainerClient(connections.Blobs, "raw-events").DeleteBlobAsync(blob, cancellationToken: cancellation);

        var rebuild = await RebuildAsync(http, cancellation);

        Assert.Equal("failed", rebuild.GetProperty("state").GetString());
        Assert.Contains(blob, rebuild.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(live, await DerivedFigures.ReadAsync(database, cancellation));
        await Eventually.TrueAsync(async () => await ScalarAsync(database, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'") is 0L, "the staging tables go");
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static async Task SendAsync(Uri url, int seed, int seconds)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        await new Traffic(url, 1_000, seed).RunAsync(stop.Token);
    }

    /// <summary>Nothing waits in the stream, nor to be folded.</summary>
    private static Task DrainAsync(HttpClient http, NpgsqlDataSource database, CancellationToken cancellation) => Eventually.TrueAsync(
        async () =>
        {
            var pipeline = await http.GetFromJsonAsync<JsonElement>("v1/pipeline", cancellation);
            var items = pipeline.GetProperty("items").EnumerateArray().ToList();
            return items.Select(i => i.GetProperty("consumer_group").GetString()).Distinct().Count() == 2 && items.All(i => i.GetProperty("lag").GetInt64() == 0)
                && await ScalarAsync(database, "SELECT count(*) FROM metric_deltas") is 0L;
        },
        "all is consumed");

    private static async Task<JsonElement> RebuildAsync(HttpClient http, CancellationToken cancellation) => await DoneAsync(http, await AskAsync(http, cancellation), cancellation);

    private static async Task<string> AskAsync(HttpClient http, CancellationToken cancellation)
    {
        var now = DateTime.UtcNow;
        var (from, to) = (now.AddHours(-3).ToString("O", CultureInfo.InvariantCulture), now.AddMinutes(-1).ToString("O", CultureInfo.InvariantCulture));
        using var answer = await http.PostAsJsonAsync("v1/metrics/rebuild", new { from, to }, cancellation);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return answer.Headers.Location!.ToString();
    }

    private static async Task<JsonElement> DoneAsync(HttpClient http, string location, CancellationToken cancellation)
    {
        JsonElement rebuild = default;
        await Eventually.TrueAsync(
            async () => (rebuild = await GetAsync(http, location, cancellation)).GetProperty("state").GetString() is "done" or "failed" or "cancelled", "the rebuild ends", TimeSpan.FromMinutes(3));
        return rebuild;
    }

    private static Task<JsonElement> GetAsync(HttpClient http, string location, CancellationToken cancellation) => http.GetFromJsonAsync<JsonElement>(location.TrimStart('/'), cancellation);

    private static async Task<object?> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var connection = await database.OpenConnectionAsync();
        await ExecuteAsync(connection, sql);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
