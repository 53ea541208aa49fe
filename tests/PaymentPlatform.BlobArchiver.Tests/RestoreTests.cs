using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>Recent files that the store has lost are written again from the stream.</summary>
public sealed class RestoreTests(PlatformFixture fixture)
{
    [Fact]
    public async Task Start_BlobsLost_WritesThemAgain()
    {
        await using var platform = await ArchivedAsync(500);
        var before = await ArchiveContents.ReadAsync(platform);
        var lost = await DeleteBlobsAsync(platform, every: 2);

        var archiver = await platform.StartArchiverAsync();
        await Eventually.TrueAsync(async () => await platform.CountFilesAsync("lost") == lost, "the lost files' restoration");
        await platform.PublishAsync(500, 100);
        await platform.WaitForArchivedAsync(600);
        var after = await ArchiveContents.AssertCompleteAsync(platform, 600);
        Assert.Equal(before.Select(r => (r.Partition, r.Offset, r.MessageId, r.RawText)), after.Where(r => int.Parse(r.MessageId[2..]) < 500).Select(r => (r.Partition, r.Offset, r.MessageId, r.RawText)));
        Assert.True(archiver.Log.Has(LogLevel.Warning, "has lost the live file"));
        Assert.Equal(0, await platform.CountAsync("SELECT count(*) FROM raw_event_ranges r JOIN raw_event_files f USING (file_id) WHERE r.live <> (f.state = 'live')"));
        // As of any moment the new file stands where the lost one stood.
        const string replaced = "FROM raw_event_files l JOIN raw_event_files n ON n.live_generation = l.live_generation AND n.state = 'live' WHERE l.state = 'lost' AND l.gone_generation = l.live_generation";
        Assert.Equal(lost, await platform.CountAsync("SELECT count(*) " + replaced + " AND n.changed_generation > l.live_generation"));
    }

    [Fact]
    public async Task Start_WholeContainerLost_WritesEverythingAgain()
    {
        await using var platform = await ArchivedAsync(300);
        var lost = await platform.CountFilesAsync("live");
        await platform.Container.DeleteAsync();
        var archiver = await platform.StartArchiverAsync();
        await Eventually.TrueAsync(async () => await platform.CountFilesAsync("lost") == lost, "restoration");
        await archiver.StopAsync();
        await ArchiveContents.AssertCompleteAsync(platform, 300);
    }

    [Fact]
    public async Task Restore_BlobCutShort_WritesItAgain()
    {
        await using var platform = await ArchivedAsync(100);
        var lost = await platform.CountFilesAsync("live");
        await foreach (var blob in platform.Container.GetBlobsAsync())
            await platform.Container.GetBlobClient(blob.Name).UploadAsync(BinaryData.FromBytes(new byte[100]), overwrite: true);
        var archiver = await platform.StartArchiverAsync();
        await Eventually.TrueAsync(async () => await platform.CountFilesAsync("lost") == lost, "restoration");
        await archiver.StopAsync();
        await ArchiveContents.AssertCompleteAsync(platform, 100);
    }

    [Fact]
    public async Task Restore_StreamNoLongerHasTheRange_ReportsAndLeavesTheRow()
    {
        await using var platform = await ArchivedAsync(300);
        var live = await platform.CountFilesAsync("live");
        var lost = await DeleteBlobsAsync(platform, every: 1);
        await platform.ExecuteAsync("UPDATE stream_partitions SET first_offset = next_offset; DELETE FROM stream_batches");

        var archiver = await platform.StartArchiverAsync();
        await Eventually.TrueAsync(() => archiver.Log.Lines.Count(l => l.Level == LogLevel.Error && l.Text.Contains("can't be written again", StringComparison.Ordinal)) == lost, "the report");
        Assert.Equal(live, await platform.CountFilesAsync("live"));
        // And goes on.
        await platform.PublishAsync(300, 50);
        await platform.WaitForArchivedAsync(350);
    }

    [Fact]
    public async Task Restore_DamagedBatch_ReportsItsFilesAndRestoresTheOthers()
    {
        await using var platform = await ArchivedAsync(300);
        // A second generation of files, of batches that stay whole.
        var archiver = await platform.StartArchiverAsync();
        await platform.PublishAsync(300, 100);
        await platform.WaitForArchivedAsync(400);
        await archiver.StopAsync();
        var lost = await DeleteBlobsAsync(platform, every: 1);
        await platform.ExecuteAsync("UPDATE stream_batches SET payload = overlay(payload placing '\\x0102030405060708'::bytea from length(payload) - 20) WHERE partition_id = 0 AND first_offset = 0");

        archiver = await platform.StartArchiverAsync();
        // The damage neither keeps it from starting ...
        await platform.PublishAsync(400, 50);
        await platform.WaitForArchivedAsync(450);
        // ... nor the other files from coming back.
        var damaged = archiver.Log.Lines.Count(l => l.Level == LogLevel.Error && l.Text.Contains("record batch is damaged", StringComparison.Ordinal));
        Assert.InRange(damaged, 1, lost - 1);
        Assert.Equal(lost - damaged, await platform.CountFilesAsync("lost"));
    }

    [Fact]
    public async Task Start_RestoreRefused_ArchivesNevertheless()
    {
        await using var platform = await ArchivedAsync(100);
        await DeleteBlobsAsync(platform, every: 1);
        // Not a fault that passes.
        await platform.ExecuteAsync(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
            CREATE TRIGGER refuse BEFORE UPDATE ON raw_event_files FOR EACH ROW WHEN (NEW.state = 'lost') EXECUTE FUNCTION refuse()
            """);
        await platform.PublishAsync(100, 50);
        var archiver = await platform.StartArchiverAsync();
        await platform.WaitForArchivedAsync(150);
        Assert.True(archiver.Log.Has(LogLevel.Error, "Could not write the lost file"));
        Assert.Equal(0, await platform.CountFilesAsync("lost"));
    }

    [Fact]
    public async Task Restore_OlderThanTheWindow_IsNotLookedFor()
    {
        await using var platform = await ArchivedAsync(100);
        await DeleteBlobsAsync(platform, every: 1);
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = clock_timestamp() - interval '2 hours'");
        var archiver = await platform.StartArchiverAsync();
        Assert.Equal(0, await archiver.Host.Services.GetRequiredService<LostFileRestorer>().RestoreAsync(CancellationToken.None) ?? 0);
        Assert.Equal(0, await platform.CountFilesAsync("lost"));
    }

    [Fact]
    public async Task Restore_TwoAtOnce_RestoreOnce()
    {
        await using var platform = await ArchivedAsync(400);
        var archivers = new[] { await platform.StartArchiverAsync(), await platform.StartArchiverAsync() };
        var lost = await DeleteBlobsAsync(platform, every: 1);
        var restorers = archivers.Select(a => a.Host.Services.GetRequiredService<LostFileRestorer>()).ToArray();
        await Eventually.TrueAsync(async () =>
        {
            await Task.WhenAll(restorers.Select(r => r.RestoreAsync(CancellationToken.None)));
            return await platform.CountFilesAsync("lost") >= lost;
        }, "restoration");
        Assert.Equal(lost, await platform.CountFilesAsync("lost"));
        await ArchiveContents.AssertCompleteAsync(platform, 400);
    }

    [Fact]
    public async Task Repair_GivenFiles_WritesThemAgainWhateverTheirAgeAndKeepsTheDamagedBlob()
    {
        await using var platform = await ArchivedAsync(300);
        var before = await ArchiveContents.ReadAsync(platform);
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = clock_timestamp() - interval '20 days'");
        var files = await LiveFilesAsync(platform);
        var missing = files[0];
        await platform.Container.DeleteBlobAsync(missing.Name);
        // The same length: only the bytes tell.
        var damaged = platform.Container.GetBlobClient(files[1].Name);
        var bytes = (await damaged.DownloadContentAsync()).Value.Content.ToArray();
        bytes[bytes.Length / 2] ^= 1;
        await damaged.UploadAsync(BinaryData.FromBytes(bytes), overwrite: true);

        var archiver = await platform.StartArchiverAsync(null, ("RestoreWindow", "00:00:00"));
        var repaired = await archiver.Host.Services.GetRequiredService<IArchiveRepair>().RepairAsync([missing.Id, files[1].Id, Guid.NewGuid()], CancellationToken.None);

        Assert.Equal([missing.Name, files[1].Name], repaired.Select(r => r.BlobName));
        Assert.All(repaired, r => Assert.True(r is { NewBlobName: not null, Reason: null }));
        Assert.Equal(2, await platform.CountFilesAsync("lost"));
        Assert.Equal(bytes, (await damaged.DownloadContentAsync()).Value.Content.ToArray());
        var after = await ArchiveContents.AssertCompleteAsync(platform, 300);
        Assert.Equal(before.Select(r => (r.Partition, r.Offset, r.MessageId, r.RawText)), after.Select(r => (r.Partition, r.Offset, r.MessageId, r.RawText)));
        // Done is done: nothing is live under those ids any more.
        Assert.Empty(await archiver.Host.Services.GetRequiredService<IArchiveRepair>().RepairAsync([missing.Id, files[1].Id], CancellationToken.None));
    }

    [Fact]
    public async Task Repair_StreamNoLongerHasTheRange_SaysWhyAndLeavesTheFile()
    {
        await using var platform = await ArchivedAsync(300);
        var file = (await LiveFilesAsync(platform))[0];
        await platform.Container.DeleteBlobAsync(file.Name);
        await platform.ExecuteAsync("UPDATE stream_partitions SET first_offset = next_offset; DELETE FROM stream_batches");
        var archiver = await platform.StartArchiverAsync(null, ("RestoreWindow", "00:00:00"));
        var repaired = Assert.Single(await archiver.Host.Services.GetRequiredService<IArchiveRepair>().RepairAsync([file.Id], CancellationToken.None));
        Assert.Equal((file.Name, null), (repaired.BlobName, repaired.NewBlobName));
        Assert.Contains("The stream holds offsets", repaired.Reason);
        Assert.Equal(0, await platform.CountFilesAsync("lost"));
    }

    [Fact]
    public async Task Flush_HolesOnly_AreNotedAndGrow()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 2);
        await platform.ExecuteAsync("INSERT INTO stream_checkpoints (consumer_group, stream, log_id, partition_id, next_offset) SELECT 'archiver', 'payments', 'broker', p, 10 FROM generate_series(0, 1) p");
        var archiver = await platform.StartArchiverAsync();
        var flusher = archiver.Host.Services.GetRequiredService<IArchiveFlusher>();
        using var nothing = new ArchiveBuffer();
        foreach (var (first, second) in ((OffsetRange?, OffsetRange?)[])[(Range(0, 10, 12), Range(1, 10, 11)), (Range(0, 12, 20), null), (null, Range(1, 11, 12))])
            Assert.True(await flusher.FlushAsync(nothing, [.. new[] { first, second }.OfType<OffsetRange>()], FlushReason.Age, CancellationToken.None));
        Assert.Equal(2, await platform.CountAsync("SELECT count(*) FROM raw_event_holes"));
        Assert.Equal(2, await platform.CountAsync("SELECT count(*) FROM raw_event_holes WHERE (partition_id, first_offset, next_offset) IN ((0, 10, 20), (1, 10, 12))"));
        // An attempt that came too late leaves no trace.
        Assert.False(await flusher.FlushAsync(nothing, [Range(0, 12, 30)], FlushReason.Age, CancellationToken.None));
        Assert.Equal(2, await platform.CountAsync("SELECT count(*) FROM raw_event_holes WHERE next_offset <= 20"));

        static OffsetRange Range(int partition, long from, long to) => new(new("payments", "broker", partition), from, to);
    }

    private static async Task<List<(Guid Id, string Name)>> LiveFilesAsync(TestPlatform platform)
    {
        await using var command = platform.Database.CreateCommand("SELECT file_id, blob_name FROM raw_event_files WHERE state = 'live' ORDER BY file_id");
        await using var reader = await command.ExecuteReaderAsync();
        var files = new List<(Guid, string)>();
        while (await reader.ReadAsync())
            files.Add((reader.GetGuid(0), reader.GetString(1)));
        return files;
    }

    private async Task<TestPlatform> ArchivedAsync(int events)
    {
        var platform = await TestPlatform.CreateAsync(fixture, partitions: 3);
        var archiver = await platform.StartArchiverAsync(null, ("FlushRows", "70"));
        for (var i = 0; i < events; i += 100)
            await platform.PublishAsync(i, 100);
        await platform.WaitForArchivedAsync(events);
        await archiver.StopAsync();
        return platform;
    }

    private static async Task<int> DeleteBlobsAsync(TestPlatform platform, int every)
    {
        var (index, deleted) = (0, 0);
        await foreach (var blob in platform.Container.GetBlobsAsync())
        {
            if (index++ % every != 0)
                continue;
            await platform.Container.DeleteBlobAsync(blob.Name);
            deleted++;
        }

        return deleted;
    }
}
