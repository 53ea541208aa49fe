using Npgsql;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.Reconciliation.ReconciliationReports;

namespace PaymentPlatform.Query.Tests.Reconciliation;

/// <summary>The manifest against the stream and its checkpoints.</summary>
public sealed class ReconciledRangesTests(PlatformFixture fixture)
{
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
}
