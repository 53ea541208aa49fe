using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using PaymentPlatform.Query.Reconciliation;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.Reconciliation.ReconciliationReports;

namespace PaymentPlatform.Query.Tests.Reconciliation;

/// <summary>The endpoint, and a platform in which all agrees.</summary>
public sealed class ReconciliationTests(PlatformFixture fixture)
{
    [Fact]
    public async Task Get_HealthyStore_AgreesAndSaysHowMuchWasCompared()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var report = await platform.ReconcileAsync();
        AssertAgrees(report);
        Assert.Empty(report.GetProperty("skipped").EnumerateArray());
        var compared = report.GetProperty("checked");
        var files = await platform.ScalarAsync<long>("SELECT count(*) FROM raw_event_files WHERE state = 'live'");
        Assert.Equal((files, files, files), (Number(compared, "files"), Number(compared, "blobs"), Number(compared, "contents")));
        Assert.Equal((3, await platform.ScalarAsync<long>("SELECT count(*) FROM raw_event_ranges")), (Number(compared, "partitions"), Number(compared, "ranges")));
        // A tenth is invalid; a call each replays a valid one.
        Assert.Equal((540, 60), (Number(compared, "events"), Number(compared, "dead_letters")));
        Assert.Equal(await platform.ScalarAsync<long>("SELECT count(*) FROM payment_metrics_5m"), Number(compared, "figures"));
        Assert.Equal(0, await platform.ScalarAsync<long>("SELECT count(*) FROM raw_event_files WHERE state = 'live' AND verified_at IS NULL"));

        // As it is described.
        var described = (await platform.Host.GetAsync("/openapi/v1.json")).GetProperty("components").GetProperty("schemas").GetProperty("Reconciliation").GetProperty("properties");
        Assert.Equal(Names(described), Names(report));
        Assert.Equal(Names(described.GetProperty("checked").GetProperty("properties")), Names(compared));
        Assert.Equal(FindingKind.All, described.GetProperty("findings").GetProperty("items").GetProperty("properties").GetProperty("kind").GetProperty("enum").EnumerateArray().Select(k => k.GetString()));

        static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(p => p.Name).Order();
    }

    [Fact]
    public async Task Get_EmptyPlatform_Agrees()
    {
        await using var host = await QueryHost.StartAsync(fixture, new() { ["Query:ReconciliationInterval"] = "00:00:00" });
        AssertAgrees(await host.GetAsync("/v1/archive/reconciliation?depth=full"));
        await host.Connections.RawEvents.DeleteAsync();
        AssertAgrees(await host.GetAsync("/v1/archive/reconciliation?depth=full"));
    }

    [Fact]
    public async Task Get_UnderTraffic_FindsNothing()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        using var stop = new CancellationTokenSource();
        var traffic = Task.Run(() => platform.PublishUntilAsync(stop.Token));
        var events = 0L;
        for (var i = 0; i < 6; i++)
        {
            var report = await platform.ReconcileAsync(i % 2 == 0 ? "full" : "listing");
            AssertAgrees(report);
            Assert.Empty(report.GetProperty("skipped").EnumerateArray());
            var compared = Number(report.GetProperty("checked"), "events");
            Assert.True(compared > events);
            events = compared;
        }

        await stop.CancelAsync();
        await traffic;
    }

    [Fact]
    public async Task Get_WhileFilesAreMergedAndTheirOriginalsDeleted_FindsNothing()
    {
        await using var platform = await ReconciledPlatform.StartAsync(fixture, new() { ["Archiver:CompactionInterval"] = "00:00:01", ["Archiver:SweepInterval"] = "00:00:00.200", ["Archiver:SupersededRetention"] = "00:00:10" });
        await platform.ArriveEarlierAsync(TimeSpan.FromHours(3));
        using var stop = new CancellationTokenSource();
        var traffic = Task.Run(() => platform.PublishUntilAsync(stop.Token));
        await Eventually.TrueAsync(
            async () =>
            {
                AssertAgrees(await platform.ReconcileAsync());
                return await platform.ScalarAsync<long>("SELECT count(DISTINCT superseded_by) FROM raw_event_files WHERE state = 'deleted'") >= 2;
            },
            "files were merged and their originals deleted");
        await stop.CancelAsync();
        await traffic;
        await platform.DrainAsync();
        AssertAgrees(await platform.ReconcileAsync());
    }

    [Fact]
    public async Task Get_ArchiverBehind_SaysWhatWasNotCompared()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture, new() { ["Query:ReconciliationWait"] = "00:00:00" });
        await platform.Host.Archive.ExecuteAsync("UPDATE stream_checkpoints SET next_offset = next_offset + 1000 WHERE consumer_group = 'metrics'");
        var report = await platform.ReconcileAsync();
        AssertAgrees(report);
        Assert.Contains(report.GetProperty("skipped").EnumerateArray(), s => s.GetProperty("check").GetString() == "figures" && s.GetProperty("reason").GetString()!.Contains("archiver", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Get_AnotherRuns_429()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        await using var connection = await platform.Host.Connections.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var door = new NpgsqlCommand("LOCK TABLE raw_event_ranges IN ACCESS EXCLUSIVE MODE", connection))
            await door.ExecuteNonQueryAsync();
        var first = platform.ReconcileAsync();
        await Eventually.TrueAsync(async () => await platform.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'raw_event_ranges'::regclass") > 0, "the first one waits");
        using var second = await platform.Host.Client.GetAsync("/v1/archive/reconciliation");
        Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
        Assert.NotNull(second.Headers.RetryAfter);
        await transaction.RollbackAsync();
        AssertAgrees(await first);
    }

    [Theory]
    [InlineData("depth=deep", "depth")]
    [InlineData("from=yesterday", "from")]
    [InlineData("from=2026-01-02&to=2026-01-01", "from")]
    [InlineData("from=0001-01-01&to=9999-12-31", "from")]
    [InlineData("from=2020-01-01", "from")]
    [InlineData("from=2025-01-01&to=2025-02-01T00:00:00.000001Z", "from")]
    public async Task Get_BadParameter_400NamesIt(string query, string name)
    {
        await using var host = await QueryHost.StartAsync(fixture);
        Assert.True((await host.GetAsync("/v1/archive/reconciliation?" + query, HttpStatusCode.BadRequest)).GetProperty("errors").TryGetProperty(name, out _));
    }

    [Theory]
    [InlineData("from=9999-12-31T00:00:00Z&to=9999-12-31T23:59:59Z")]
    [InlineData("to=0001-01-01T00:00:00Z")]
    [InlineData("from=2025-01-01&to=2025-02-01")]
    public async Task Get_RangeWithoutEvents_Agrees(string query)
    {
        await using var host = await QueryHost.StartAsync(fixture);
        AssertAgrees(await host.GetAsync("/v1/archive/reconciliation?" + query));
    }

    [Fact]
    public async Task Get_FullDepth_NeedsTheRoleOperate()
    {
        var (operate, read) = (new string('o', 30), new string('r', 30));
        await using var host = await QueryHost.StartAsync(fixture, new()
        {
            ["Access:OperateKey"] = operate, ["Access:ApiKeys:auditor:Hash"] = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(read))), ["Access:ApiKeys:auditor:Roles"] = "read",
        });
        using var refusals = new Refusals(host);
        foreach (var (key, depth, expected) in ((string, string, HttpStatusCode)[])[(read, "listing", HttpStatusCode.OK), (read, "full", HttpStatusCode.Forbidden), (operate, "full", HttpStatusCode.OK)])
        {
            host.Client.DefaultRequestHeaders.Remove("X-Api-Key");
            host.Client.DefaultRequestHeaders.Add("X-Api-Key", key);
            await host.GetAsync("/v1/archive/reconciliation?depth=" + depth, expected);
        }

        Assert.Equal(["403 operate"], refusals.Seen);
    }

    /// <summary>What the service counts in <c>access.refusals</c>.</summary>
    private sealed class Refusals : IDisposable
    {
        private readonly MeterListener _listener = new();

        public Refusals(QueryHost host)
        {
            var meters = host.App.Services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "access.refusals" && instrument.Meter.Scope == meters)
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, value, tags, _) => Seen.Enqueue(string.Join(' ', tags.ToArray().Select(t => t.Value))));
            _listener.Start();
        }

        /// <summary>Status and role of each.</summary>
        public ConcurrentQueue<string> Seen { get; } = new();

        public void Dispose() => _listener.Dispose();
    }
}
