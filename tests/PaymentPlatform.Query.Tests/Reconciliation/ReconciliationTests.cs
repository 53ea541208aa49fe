using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Query.Reconciliation;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests.Reconciliation;

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

    [Theory]
    [InlineData("listing")]
    [InlineData("full")]
    public async Task Get_BlobDeleted_IsTheOneFinding(string depth)
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var blob = await platform.BlobAsync(1);
        await platform.Container.DeleteBlobAsync(blob);
        var report = await platform.ReconcileAsync(depth);
        AssertFindings(report, ("blob_missing", blob));
        Assert.Contains("reconcile --repair", report.GetProperty("findings")[0].GetProperty("repair").GetString());
        // Its time is said not to be compared, twice.
        Assert.Equal(2, report.GetProperty("skipped").EnumerateArray().Count(s => s.GetProperty("subject").GetString() == blob));

        await platform.Host.Archive.ExecuteAsync("UPDATE stream_partitions SET first_offset = next_offset");
        Assert.Contains("backup", (await platform.ReconcileAsync(depth)).GetProperty("findings")[0].GetProperty("repair").GetString());
    }

    [Theory]
    [InlineData("listing")]
    [InlineData("full")]
    public async Task Get_ByteChanged_IsTheOneFinding(string depth)
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var blob = await platform.BlobAsync(1);
        await platform.FlipByteAsync(blob);
        // The listing can't see it; the count reads the file of the range.
        AssertFindings(await platform.ReconcileAsync(depth), ("blob_changed", blob));
    }

    [Fact]
    public async Task Get_ByteChangedInAFileOutsideOfTheRange_IsFoundInFullDepthOnly()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        await platform.FlipByteAsync(await platform.BlobAsync(1));
        const string range = "&from=2020-01-01&to=2020-01-02";
        AssertAgrees(await platform.ReconcileAsync("listing", range));
        AssertAgrees(await platform.ReconcileAsync("full", range));
        AssertFindings(await platform.ReconcileAsync(), ("blob_changed", await platform.BlobAsync(1)));
    }

    [Fact]
    public async Task Get_BlobCutShort_IsTheOneFinding()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var blob = await platform.BlobAsync();
        await platform.Container.GetBlobClient(blob).UploadAsync(new BinaryData(new byte[100]), overwrite: true);
        var report = await platform.ReconcileAsync();
        AssertFindings(report, ("blob_size", blob));
        Assert.Equal("100 bytes", report.GetProperty("findings")[0].GetProperty("actual").GetString());
    }

    [Fact]
    public async Task Get_ExtraBlobs_AreFoundUnlessTheirRowMayHaveOne()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var states = new[] { "pending", "superseded", "deleting", "abandoned", "deleted", "stale" };
        foreach (var state in states)
        {
            await platform.Container.UploadBlobAsync($"raw_events/{state}.parquet", new BinaryData("x"));
            await platform.Host.Archive.ExecuteAsync(
                "INSERT INTO raw_event_files (file_id, blob_name, state, owner, state_changed_at) VALUES (gen_random_uuid(), $1, $2, 'test', now() - $3)",
                new() { Value = $"raw_events/{state}.parquet" }, new() { Value = state == "stale" ? "abandoned" : state }, new() { Value = TimeSpan.FromDays(state == "stale" ? 3 : 0) });
        }

        await platform.Container.UploadBlobAsync("raw_events/unknown.parquet", new BinaryData("x"));
        await platform.Container.UploadBlobAsync("Ünknown", new BinaryData("x"));
        AssertFindings(await platform.ReconcileAsync(), ("blob_extra", "raw_events/deleted.parquet"), ("blob_extra", "raw_events/stale.parquet"), ("blob_extra", "raw_events/unknown.parquet"), ("blob_extra", "Ünknown"));
    }

    [Fact]
    public async Task Get_ManifestRowRemoved_IsAGapAnExtraBlobAndDifferentFigures()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        // The first one: the beginning of a log is known, too.
        var blob = await platform.BlobAsync();
        var partition = await platform.ScalarAsync<string>($"SELECT stream || '/' || log_id || '/' || partition_id FROM raw_event_ranges JOIN raw_event_files USING (file_id) WHERE blob_name = '{blob}' ORDER BY partition_id LIMIT 1");
        await platform.Host.Archive.ExecuteAsync("WITH f AS (DELETE FROM raw_event_ranges WHERE file_id = (SELECT file_id FROM raw_event_files WHERE blob_name = $1) RETURNING file_id) DELETE FROM raw_event_files WHERE false", new NpgsqlParameter { Value = blob });
        await platform.Host.Archive.ExecuteAsync("DELETE FROM raw_event_files WHERE blob_name = $1", new NpgsqlParameter { Value = blob });
        var findings = ReconciledPlatform.Findings(await platform.ReconcileAsync());
        Assert.Contains(("range_gap", partition), findings);
        Assert.Contains(("blob_extra", blob), findings);
        Assert.Equal(["blob_extra", "dead_letter_extra", "figure_differs", "range_gap"], findings.Select(f => f.Kind).Distinct().Order());
    }

    [Fact]
    public async Task Get_RangesThatOverlapOrPassTheCheckpoint_AreFound()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var partition = await platform.ScalarAsync<string>("SELECT stream || '/' || log_id || '/1' FROM stream_logs");
        await platform.Host.Archive.ExecuteAsync("UPDATE stream_checkpoints SET next_offset = next_offset - 1 WHERE consumer_group = 'archiver' AND partition_id = 1");
        var report = await platform.ReconcileAsync("listing", "&from=2020-01-01&to=2020-01-02");
        Assert.Contains(("range_beyond_checkpoint", partition), ReconciledPlatform.Findings(report));
        await platform.Host.Archive.ExecuteAsync("UPDATE stream_checkpoints SET next_offset = next_offset + 1 WHERE consumer_group = 'archiver' AND partition_id = 1");

        // The database refuses it as long as it is itself.
        await platform.Host.Archive.ExecuteAsync("ALTER TABLE raw_event_ranges DROP CONSTRAINT raw_event_ranges_stream_log_id_partition_id_int8range_excl");
        await platform.Host.Archive.ExecuteAsync(
            "UPDATE raw_event_ranges SET first_offset = first_offset - 1 WHERE partition_id = 1 AND first_offset = (SELECT max(first_offset) FROM raw_event_ranges WHERE partition_id = 1)");
        AssertFindings(await platform.ReconcileAsync("listing"), ("range_overlap", partition));
    }

    [Fact]
    public async Task Get_StateAndRangesDontGoTogether_IsFound()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var blob = await platform.BlobAsync(1);
        await platform.Host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'superseded' WHERE blob_name = $1", new NpgsqlParameter { Value = blob });
        Assert.Contains(("range_state", blob), ReconciledPlatform.Findings(await platform.ReconcileAsync()));
    }

    [Fact]
    public async Task Get_NamedGapHolesAndLostFiles_AreInformationAtMost()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        // A span that was lost before it was read, then one without events; the positions have passed both.
        await platform.Host.Archive.ExecuteAsync("INSERT INTO stream_gaps (consumer_group, stream, log_id, partition_id, first_offset, next_offset) SELECT consumer_group, stream, log_id, partition_id, next_offset, next_offset + 10 FROM stream_checkpoints WHERE partition_id = 2");
        await platform.Host.Archive.ExecuteAsync("INSERT INTO raw_event_holes SELECT stream, log_id, partition_id, next_offset + 10, next_offset + 15 FROM stream_checkpoints WHERE consumer_group = 'archiver' AND partition_id = 2");
        await platform.Host.Archive.ExecuteAsync("UPDATE stream_checkpoints SET next_offset = next_offset + 15 WHERE partition_id = 2");
        await platform.Container.UploadBlobAsync("raw_events/lost.parquet", new BinaryData("x"));
        await platform.Host.Archive.ExecuteAsync("INSERT INTO raw_event_files (file_id, blob_name, state, owner) VALUES (gen_random_uuid(), 'raw_events/lost.parquet', 'lost', 'test')");

        var report = await platform.ReconcileAsync();
        Assert.True(report.GetProperty("agrees").GetBoolean(), report.GetRawText());
        Assert.Equal(["blob_kept", "range_known_gap"], ReconciledPlatform.Findings(report).Select(f => f.Kind).Order());
        Assert.All(report.GetProperty("findings").EnumerateArray(), f => Assert.Equal("info", f.GetProperty("severity").GetString()));
    }

    [Fact]
    public async Task Get_DeletedAtTheEndOfRetention_IsNoGapAndItsTimeIsSaidNotToBeCompared()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var blob = await platform.BlobAsync(1);
        // As the lifecycle does it.
        await platform.Host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'deleting' WHERE blob_name = $1", new NpgsqlParameter { Value = blob });
        await platform.Host.Archive.ExecuteAsync("UPDATE raw_event_ranges r SET live = false FROM raw_event_files f WHERE f.file_id = r.file_id AND f.blob_name = $1", new NpgsqlParameter { Value = blob });
        AssertAgrees(await platform.ReconcileAsync());
        await platform.Container.DeleteBlobAsync(blob);
        await platform.Host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'deleted' WHERE blob_name = $1", new NpgsqlParameter { Value = blob });
        var report = await platform.ReconcileAsync();
        AssertAgrees(report);
        Assert.Contains(report.GetProperty("skipped").EnumerateArray(), s => s.GetProperty("reason").GetString()!.Contains("retention", StringComparison.Ordinal));

        // One that another file took the place of, and whose place is empty now, is a gap.
        var other = await platform.BlobAsync(1);
        await platform.Host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'superseded' WHERE blob_name = $1", new NpgsqlParameter { Value = other });
        await platform.Host.Archive.ExecuteAsync("UPDATE raw_event_ranges r SET live = false FROM raw_event_files f WHERE f.file_id = r.file_id AND f.blob_name = $1", new NpgsqlParameter { Value = other });
        await platform.Host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'deleted' WHERE blob_name = $1", new NpgsqlParameter { Value = other });
        Assert.Contains("range_gap", ReconciledPlatform.Findings(await platform.ReconcileAsync()).Select(f => f.Kind));
    }

    [Fact]
    public async Task Get_FileInTheArchiveTier_IsSaidNotToBeComparedAndNoFinding()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var blob = await platform.BlobAsync(1);
        await platform.Container.GetBlobClient(blob).SetAccessTierAsync(Azure.Storage.Blobs.Models.AccessTier.Archive);
        var report = await platform.ReconcileAsync();
        AssertAgrees(report);
        Assert.Equal(["contents", "dead_letters", "dead_letters", "figures"], report.GetProperty("skipped").EnumerateArray().Select(s => s.GetProperty("check").GetString()).Order());
        Assert.All(report.GetProperty("skipped").EnumerateArray().Where(s => s.GetProperty("subject").GetString() == blob), s => Assert.Contains("archive tier", s.GetProperty("reason").GetString()));
    }

    [Theory]
    [InlineData("UPDATE payment_metrics_5m SET total_count = total_count + 1 WHERE (window_start, payment_method, currency, payment_status) = (SELECT window_start, payment_method, currency, payment_status FROM payment_metrics_5m LIMIT 1)")]
    [InlineData("UPDATE payment_metrics_5m SET total_amount = total_amount + 0.0001 WHERE (window_start, payment_method, currency, payment_status) = (SELECT window_start, payment_method, currency, payment_status FROM payment_metrics_5m LIMIT 1)")]
    [InlineData("UPDATE payment_metrics_5m SET max_amount = max_amount + 1 WHERE (window_start, payment_method, currency, payment_status) = (SELECT window_start, payment_method, currency, payment_status FROM payment_metrics_5m LIMIT 1)")]
    [InlineData("DELETE FROM payment_metrics_5m WHERE (window_start, payment_method, currency, payment_status) = (SELECT window_start, payment_method, currency, payment_status FROM payment_metrics_5m LIMIT 1)")]
    [InlineData("INSERT INTO payment_metrics_5m SELECT window_start, window_end, 'made up', currency, payment_status, 1, 1, 1, 1 FROM (SELECT * FROM payment_metrics_5m LIMIT 1) m", true)]
    public async Task Get_FigureChanged_IsTheOneFinding(string sql, bool isNew = false)
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        if (isNew)
            sql = sql.Replace("payment_metrics_5m SELECT", "payment_metrics_5m (window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount) SELECT", StringComparison.Ordinal);
        await platform.Host.Archive.ExecuteAsync(sql);
        Assert.Equal(["figure_differs"], ReconciledPlatform.Findings(await platform.ReconcileAsync("listing")).Select(f => f.Kind));
    }

    [Fact]
    public async Task Get_DeadLettersMissingOrMadeUp_AreFoundByPosition()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        const string position = "stream || '/' || log_id || '/' || partition_id || ' offset ' || stream_offset";
        var missing = await platform.ScalarAsync<string>($"DELETE FROM failed_items WHERE id = (SELECT min(id) FROM failed_items) RETURNING {position}");
        var extra = await platform.ScalarAsync<string>(
            $$"""
            INSERT INTO failed_items (stream, log_id, partition_id, stream_offset, error_type, error_message, errors, raw_payload, enqueued_at)
            SELECT stream, log_id, partition_id, 100000, 'x', 'x', '[]', '', enqueued_at FROM failed_items WHERE id = (SELECT max(id) FROM failed_items)
            RETURNING {{position}}
            """);
        AssertFindings(await platform.ReconcileAsync("listing"), ("dead_letter_extra", extra), ("dead_letter_missing", missing));
        // Of another time.
        AssertAgrees(await platform.ReconcileAsync("listing", "&from=2020-01-01&to=2020-01-02"));
    }

    [Fact]
    public async Task Get_DroppedByMetricsRetention_IsSaidAndNotReported()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        await platform.Host.Archive.ExecuteAsync("SELECT metrics_drop_before('payment_metrics_5m', 'window_start', ((now() AT TIME ZONE 'UTC')::date + 2), 100000)");
        var report = await platform.ReconcileAsync("listing");
        AssertAgrees(report);
        Assert.All(report.GetProperty("skipped").EnumerateArray(), s => Assert.Contains("Metrics:Retention", s.GetProperty("reason").GetString()));
        Assert.NotEmpty(report.GetProperty("skipped").EnumerateArray());
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

    [Fact]
    public async Task Get_FileIsNoParquet_IsTheOneFinding()
    {
        await using var platform = await ReconciledPlatform.StartFilledAsync(fixture);
        var blob = await platform.BlobAsync(1);
        var bytes = new byte[1000];
        await platform.Container.GetBlobClient(blob).UploadAsync(new BinaryData(bytes), overwrite: true);
        await platform.Host.Archive.ExecuteAsync("UPDATE raw_event_files SET byte_size = $2, sha256 = $3 WHERE blob_name = $1", new NpgsqlParameter { Value = blob }, new() { Value = (long)bytes.Length }, new() { Value = SHA256.HashData(bytes) });
        AssertFindings(await platform.ReconcileAsync("listing"), ("blob_unreadable", blob));
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

    private static void AssertAgrees(JsonElement report)
    {
        Assert.True(report.GetProperty("agrees").GetBoolean(), report.GetRawText());
        Assert.Empty(report.GetProperty("findings").EnumerateArray());
    }

    private static void AssertFindings(JsonElement report, params (string Kind, string Subject)[] expected)
    {
        Assert.False(report.GetProperty("agrees").GetBoolean());
        Assert.Equal(expected.Order(), ReconciledPlatform.Findings(report).Order());
        Assert.Equal(expected.Length, Number(report, "finding_count"));
    }

    private static long Number(JsonElement element, string name) => element.GetProperty(name).GetInt64();

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
