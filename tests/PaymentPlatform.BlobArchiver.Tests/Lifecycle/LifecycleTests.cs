using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PaymentPlatform.BlobArchiver.Lifecycle;
using PaymentPlatform.BlobArchiver.Tests.Compaction;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests.Lifecycle;

/// <summary>Old files move and go, held ones stay.</summary>
public sealed class LifecycleTests(PlatformFixture fixture)
{
    private static readonly StreamPartition P = new("payments", "log", 0);

    [Fact]
    public async Task Delete_FilesPastTheirRetention_GoWithTheirBlobs()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "30");
        // The last arrival decides: an invalid event may have any time.
        await platform.ExecuteAsync($"UPDATE raw_event_files SET max_enqueued_at = now() - interval '31 days', max_transaction_timestamp = now() - interval '31 days'");
        await platform.ExecuteAsync($"UPDATE raw_event_files SET max_enqueued_at = now() - interval '29 days' WHERE file_id = '{files[0].FileId}'");
        await platform.ExecuteAsync($"UPDATE raw_event_files SET max_transaction_timestamp = now() + interval '20 years' WHERE file_id = '{files[1].FileId}'");
        var deleter = archiver.Host.Services.GetRequiredService<RetentionDeleter>();
        Assert.Equal(2, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal(0, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal((1, 2, 2), (await platform.CountFilesAsync("live"), await platform.CountFilesAsync("deleting"), await platform.CountAsync("SELECT count(*) FROM raw_event_ranges WHERE NOT live")));
        Assert.Equal(2, await archiver.Host.Services.GetRequiredService<ArchiveSweeper>().SweepAsync(CancellationToken.None));
        Assert.Equal(2, await platform.CountFilesAsync("deleted"));
        Assert.Equal([files[0].BlobName], await platform.Container.GetBlobsAsync().Select(b => b.Name).ToListAsync());
    }

    [Fact]
    public async Task Delete_RetentionOff_DeletesNothing()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, _) = await WriteAsync(platform, "0");
        Assert.Equal(0, await archiver.Host.Services.GetRequiredService<RetentionDeleter>().DeleteAsync(CancellationToken.None));
        Assert.Equal(3, await platform.CountFilesAsync("live"));
    }

    [Fact]
    public async Task Delete_HeldFiles_StayUntilTheHoldIsReleased()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "30");
        // One by a range that touches only its arrivals, one by a payment.
        await platform.ExecuteAsync(
            """
            INSERT INTO legal_holds (range_from, range_to, reason, placed_by) VALUES ('2025-12-05T15:01:30Z', '2025-12-05T15:02:00Z', 'case 1', 'a');
            INSERT INTO legal_holds (transaction_id, reason, placed_by) VALUES ('tx-0-20', 'case 2', 'a'), ('elsewhere', 'case 3', 'a')
            """);
        await platform.ExecuteAsync($"UPDATE raw_event_files SET min_enqueued_at = '2025-12-05T15:00:00Z', max_enqueued_at = '2025-12-05T15:01:40Z' WHERE file_id = '{files[2].FileId}'");
        var deleter = archiver.Host.Services.GetRequiredService<RetentionDeleter>();
        Assert.Equal(1, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal(1, await platform.CountAsync($"SELECT count(*) FROM raw_event_files WHERE file_id = '{files[0].FileId}' AND state = 'deleting'"));

        await platform.ExecuteAsync("UPDATE legal_holds SET released_by = 'b', released_at = now() WHERE transaction_id = 'tx-0-20'");
        Assert.Equal(1, await deleter.DeleteAsync(CancellationToken.None));
        await platform.ExecuteAsync("UPDATE legal_holds SET released_by = 'b', released_at = now() WHERE range_from IS NOT NULL");
        Assert.Equal(1, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal(0, await platform.CountFilesAsync("live"));
    }

    [Fact]
    public async Task Delete_HeldFileWasMerged_TheMergedFileIsHeld()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, _) = await WriteAsync(platform, "30");
        await platform.ExecuteAsync("INSERT INTO legal_holds (transaction_id, reason, placed_by) VALUES ('tx-0-20', 'case 2', 'a')");
        Assert.Equal(3, await new SmallFiles(platform, archiver).Compactor.CompactAsync(CancellationToken.None));
        Assert.Equal(0, await archiver.Host.Services.GetRequiredService<RetentionDeleter>().DeleteAsync(CancellationToken.None));
        // An id that could not be read is found in the bytes: offset 2 is no JSON, 24 has no id.
        await HoldInsteadAsync(platform, "a@b.c");
        Assert.Equal(0, await archiver.Host.Services.GetRequiredService<RetentionDeleter>().DeleteAsync(CancellationToken.None));
        await HoldInsteadAsync(platform, "tx-none");
        Assert.Equal(1, await archiver.Host.Services.GetRequiredService<RetentionDeleter>().DeleteAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Delete_HeldIdIsWrittenWithEscapesInAnInvalidEvent_Stays()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, _) = await WriteAsync(platform, "30");
        // Every file has an event without a readable id that spells it so.
        await platform.ExecuteAsync("INSERT INTO legal_holds (transaction_id, reason, placed_by) VALUES ('tx/1 é😀', 'case 1', 'a')");
        var deleter = archiver.Host.Services.GetRequiredService<RetentionDeleter>();
        Assert.Equal(0, await deleter.DeleteAsync(CancellationToken.None));
        await HoldInsteadAsync(platform, "tx/1 è😀");
        Assert.Equal(3, await deleter.DeleteAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Delete_HoldPlacedAfterTheLook_Wins()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (_, files) = await WriteAsync(platform, "30");
        await platform.ExecuteAsync("INSERT INTO legal_holds (transaction_id, reason, placed_by) VALUES ('x', 'case', 'a'), ('y', 'case', 'a')");
        await using var connection = await platform.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        Assert.False(await LifecycleManifest.GiveUpAsync(transaction, files[0].FileId, [1], CancellationToken.None));
        Assert.True(await LifecycleManifest.GiveUpAsync(transaction, files[0].FileId, [1, 2], CancellationToken.None));
    }

    [Fact]
    public async Task Delete_FileCannotBeLookedThrough_Stays()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "30");
        await platform.ExecuteAsync("INSERT INTO legal_holds (transaction_id, reason, placed_by) VALUES ('elsewhere', 'case', 'a')");
        await platform.Container.GetBlobClient(files[0].BlobName).SetAccessTierAsync(AccessTier.Archive);
        await platform.Container.DeleteBlobAsync(files[1].BlobName);
        Assert.Equal(1, await archiver.Host.Services.GetRequiredService<RetentionDeleter>().DeleteAsync(CancellationToken.None));
        Assert.Equal(2, await platform.CountFilesAsync("live"));
        Assert.True(archiver.Log.Has(LogLevel.Warning, $"Files past their retention that can't be looked through for held payments, and so stay (table retention_verdicts): 2, such as {files[0].BlobName}"));
    }

    [Fact]
    public async Task Delete_FileWasLookedThrough_IsFetchedAgainOnlyWhenItsHoldsAreReleased()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "30");
        // Of two holds both keep the last file; the third keeps none.
        await platform.ExecuteAsync("INSERT INTO legal_holds (transaction_id, reason, placed_by) VALUES ('tx-0-33', 'case 1', 'a'), ('tx-0-34', 'case 2', 'a'), ('elsewhere', 'case 3', 'a')");
        var deleter = archiver.Host.Services.GetRequiredService<RetentionDeleter>();
        Assert.Equal(2, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal(1, await platform.CountAsync($"SELECT count(*) FROM retention_verdicts WHERE file_id = '{files[2].FileId}' AND held_by = ARRAY[1, 2]::bigint[]"));

        // Whoever fetches it now finds it refused.
        Refuse(archiver, files[2]);
        await platform.ExecuteAsync("UPDATE legal_holds SET released_by = 'b', released_at = now() WHERE hold_id = 1");
        Assert.Equal(0, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal(0, await platform.CountAsync("SELECT count(*) FROM retention_verdicts WHERE fault IS NOT NULL"));

        archiver.BlobFaults.RefusedFile = null;
        await platform.ExecuteAsync("UPDATE legal_holds SET released_by = 'b', released_at = now() WHERE hold_id = 2");
        Assert.Equal(1, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal(0, await platform.CountAsync("SELECT count(*) FROM retention_verdicts"));
    }

    [Fact]
    public async Task Delete_FilesCannotBeLookedThrough_AreTriedOnceADayAndWarnedOfOnceARun()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "30");
        await platform.ExecuteAsync("INSERT INTO legal_holds (transaction_id, reason, placed_by) VALUES ('elsewhere', 'case', 'a')");
        foreach (var file in files)
            await platform.Container.GetBlobClient(file.BlobName).SetAccessTierAsync(AccessTier.Archive);
        var deleter = archiver.Host.Services.GetRequiredService<RetentionDeleter>();
        Assert.Equal(0, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal(1, archiver.Log.Lines.Count(l => l.Text.Contains("can't be looked through", StringComparison.Ordinal)));
        Assert.True(archiver.Log.Has(LogLevel.Warning, $"Files past their retention that can't be looked through for held payments, and so stay (table retention_verdicts): 3, such as {files[0].BlobName}: 409 BlobArchived"));

        // They could be read now; nobody has said so.
        foreach (var file in files)
            await platform.Container.GetBlobClient(file.BlobName).SetAccessTierAsync(AccessTier.Hot);
        Assert.Equal(0, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal(2, archiver.Log.Lines.Count(l => l.Text.Contains("can't be looked through", StringComparison.Ordinal)));
        // One was asked back since, one was tried long ago; of the last the hold is released.
        await platform.ExecuteAsync($"UPDATE raw_event_files SET rehydrated_at = now() WHERE file_id = '{files[0].FileId}'");
        await platform.ExecuteAsync($"UPDATE retention_verdicts SET looked_at = now() - interval '25 hours' WHERE file_id = '{files[1].FileId}'");
        Assert.Equal(2, await deleter.DeleteAsync(CancellationToken.None));
        await platform.ExecuteAsync("UPDATE legal_holds SET released_by = 'b', released_at = now()");
        Assert.Equal(1, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal(3, archiver.Log.Lines.Count(l => l.Text.Contains("can't be looked through", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Delete_FileWasLookedAtWhileItWasRehydrated_GoesOnceItIsBack()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "30");
        await platform.ExecuteAsync("INSERT INTO legal_holds (transaction_id, reason, placed_by) VALUES ('elsewhere', 'case', 'a')");
        foreach (var file in files)
            await platform.Container.GetBlobClient(file.BlobName).SetAccessTierAsync(AccessTier.Archive);
        var (deleter, tiering) = (archiver.Host.Services.GetRequiredService<RetentionDeleter>(), archiver.Host.Services.GetRequiredService<ArchiveTiering>());
        await platform.ExecuteAsync($"UPDATE raw_event_files SET tier = 'archive', rehydrated_at = CASE WHEN file_id <> '{files[0].FileId}' THEN now() END");
        Assert.Equal(0, await deleter.DeleteAsync(CancellationToken.None));

        // Azurite takes no time for it; the next sweep notes that it is done.
        Assert.Equal(2, await tiering.RehydrateAsync(CancellationToken.None));
        Assert.Equal(0, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal(0, await tiering.RehydrateAsync(CancellationToken.None));

        Assert.Equal(2, await deleter.DeleteAsync(CancellationToken.None));
        Assert.Equal(1, await platform.CountAsync($"SELECT count(*) FROM retention_verdicts WHERE file_id = '{files[0].FileId}'"));
    }

    [Fact]
    public async Task Move_OldFiles_GoToTheTierOfTheirAge()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "0", ("Tiering", "true"));
        await AgeAsync(platform, files, 29, 31, 91);
        var tiering = archiver.Host.Services.GetRequiredService<ArchiveTiering>();
        Assert.Equal(2, await tiering.MoveAsync(CancellationToken.None));
        Assert.Equal(0, await tiering.MoveAsync(CancellationToken.None));
        Assert.Equal(["Hot", "Cool", "Archive"], await StoreTiersAsync(platform, files));
        Assert.Equal(["hot", "cool", "archive"], await ManifestTiersAsync(platform));
        // Asked back a while ago: left alone for some days, then it goes again.
        await platform.Container.GetBlobClient(files[2].BlobName).SetAccessTierAsync(AccessTier.Hot);
        await platform.ExecuteAsync($"UPDATE raw_event_files SET tier = 'hot', rehydrated_at = now() - interval '6 days' WHERE file_id = '{files[2].FileId}'");
        Assert.Equal(0, await tiering.MoveAsync(CancellationToken.None));
        await platform.ExecuteAsync("UPDATE raw_event_files SET rehydrated_at = now() - interval '8 days' WHERE rehydrated_at IS NOT NULL");
        Assert.Equal(1, await tiering.MoveAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Rehydrate_FilesThatWereAskedFor_ComeBack()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "0");
        foreach (var file in files)
            await platform.Container.GetBlobClient(file.BlobName).SetAccessTierAsync(AccessTier.Archive);
        await platform.ExecuteAsync($"UPDATE raw_event_files SET tier = 'archive', rehydrated_at = CASE WHEN file_id = '{files[0].FileId}' THEN now() END");
        var tiering = archiver.Host.Services.GetRequiredService<ArchiveTiering>();
        Assert.Equal(1, await tiering.RehydrateAsync(CancellationToken.None));
        // Azurite takes no time for it.
        Assert.Equal(["Hot", "Archive", "Archive"], await StoreTiersAsync(platform, files));
        Assert.Equal(0, await tiering.RehydrateAsync(CancellationToken.None));
        Assert.Equal(["hot", "archive", "archive"], await ManifestTiersAsync(platform));
    }

    [Fact]
    public async Task Move_StoreHasMovedTheFileAlready_IsOnlyNoted()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "0", ("Tiering", "true"));
        await AgeAsync(platform, files, 31, 31, 31);
        await platform.Container.GetBlobClient(files[0].BlobName).SetAccessTierAsync(AccessTier.Archive);
        await platform.Container.DeleteBlobAsync(files[1].BlobName);
        Assert.Equal(1, await archiver.Host.Services.GetRequiredService<ArchiveTiering>().MoveAsync(CancellationToken.None));
        Assert.Equal(["archive", "hot", "cool"], await ManifestTiersAsync(platform));
        Assert.True(archiver.Log.Has(LogLevel.Warning, $"The store does not have the live file {files[1].BlobName}"));
    }

    [Fact]
    public async Task Delete_StoreRefusesOneFile_TheOthersGo()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "30");
        await platform.ExecuteAsync("INSERT INTO legal_holds (transaction_id, reason, placed_by) VALUES ('elsewhere', 'case', 'a')");
        Refuse(archiver, files[0]);
        Assert.Equal(2, await archiver.Host.Services.GetRequiredService<RetentionDeleter>().DeleteAsync(CancellationToken.None));
        Assert.True(archiver.Log.Has(LogLevel.Warning, $"Files past their retention that can't be looked through for held payments, and so stay (table retention_verdicts): 1, such as {files[0].BlobName}"));
    }

    [Theory]
    [InlineData("deleting")]
    [InlineData("abandoned")]
    public async Task Sweep_StoreRefusesOneFile_TheOthersGo(string state)
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "0");
        await platform.ExecuteAsync($"UPDATE raw_event_files SET state = '{state}', state_changed_at = now() - interval '3 days'");
        var sweeper = archiver.Host.Services.GetRequiredService<ArchiveSweeper>();
        Refuse(archiver, files[0]);
        Assert.Equal(2, await sweeper.SweepAsync(CancellationToken.None));
        Assert.True(archiver.Log.Has(LogLevel.Warning, $"Could not delete {files[0].BlobName}"));
        archiver.BlobFaults.RefusedFile = null;
        Assert.Equal(1, await sweeper.SweepAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Sweep_StoreRefusesOneMergedFile_ItsOriginalsStayAndTheOthersGo()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "0", ("SupersededRetention", "00:00:00"));
        await platform.ExecuteAsync($"UPDATE raw_event_files SET state = 'superseded', superseded_by = '{files[1].FileId}' WHERE file_id = '{files[0].FileId}'");
        await platform.ExecuteAsync($"UPDATE raw_event_files SET state = 'abandoned', state_changed_at = now() - interval '3 days' WHERE file_id = '{files[2].FileId}'");
        Refuse(archiver, files[1]);
        Assert.Equal(1, await archiver.Host.Services.GetRequiredService<ArchiveSweeper>().SweepAsync(CancellationToken.None));
        Assert.Equal(1, await platform.CountFilesAsync("superseded"));
        Assert.True(archiver.Log.Has(LogLevel.Warning, $"Could not see whether the store has {files[1].BlobName}"));
    }

    [Fact]
    public async Task Move_StoreRefusesOneFile_TheOthersAreMoved()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "0", ("Tiering", "true"));
        await AgeAsync(platform, files, 31, 31, 31);
        Refuse(archiver, files[0]);
        Assert.Equal(2, await archiver.Host.Services.GetRequiredService<ArchiveTiering>().MoveAsync(CancellationToken.None));
        Assert.Equal(["hot", "cool", "cool"], await ManifestTiersAsync(platform));
        Assert.True(archiver.Log.Has(LogLevel.Warning, $"Could not look at or change the tier of {files[0].BlobName}"));
    }

    [Fact]
    public async Task Rehydrate_StoreRefusesOneFile_TheOthersComeBack()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (archiver, files) = await WriteAsync(platform, "0");
        foreach (var file in files)
            await platform.Container.GetBlobClient(file.BlobName).SetAccessTierAsync(AccessTier.Archive);
        await platform.ExecuteAsync("UPDATE raw_event_files SET tier = 'archive', rehydrated_at = now()");
        Refuse(archiver, files[0]);
        Assert.Equal(2, await archiver.Host.Services.GetRequiredService<ArchiveTiering>().RehydrateAsync(CancellationToken.None));
        Assert.True(archiver.Log.Has(LogLevel.Warning, $"Could not look at or change the tier of {files[0].BlobName}"));
    }

    private static Task HoldInsteadAsync(TestPlatform platform, string payment) => platform.ExecuteAsync(
        $"UPDATE legal_holds SET released_by = 'b', released_at = now() WHERE released_at IS NULL; INSERT INTO legal_holds (transaction_id, reason, placed_by) VALUES ('{payment}', 'case', 'a')");

    private static void Refuse(TestArchiver archiver, ManifestEntry file) => archiver.BlobFaults.RefusedFile = Path.GetFileName(file.BlobName);

    private static async Task<(TestArchiver Archiver, List<ManifestEntry> Files)> WriteAsync(TestPlatform platform, string retentionDays, params (string, string)[] settings)
    {
        var archiver = await platform.StartArchiverAsync(null, [("CompactionInterval", "00:00:00"), ("SweepInterval", "01:00:00"), ("RetentionDays", retentionDays), .. settings]);
        await Eventually.TrueAsync(async () => await platform.Container.ExistsAsync(), "the container");
        var files = new List<ManifestEntry>();
        for (var i = 0; i < 3; i++)
            files.Add(await new SmallFiles(platform, archiver).WriteAsync(i, new OffsetRange(P, i * 14, (i * 14) + 14)));
        return (archiver, files);
    }

    private static async Task AgeAsync(TestPlatform platform, List<ManifestEntry> files, params int[] days)
    {
        foreach (var (file, age) in files.Zip(days))
            await platform.ExecuteAsync($"UPDATE raw_event_files SET archived_at = now() - interval '{age} days' WHERE file_id = '{file.FileId}'");
    }

    private static async Task<List<string>> StoreTiersAsync(TestPlatform platform, List<ManifestEntry> files)
    {
        var tiers = new List<string>();
        foreach (var file in files)
            tiers.Add((await platform.Container.GetBlobClient(file.BlobName).GetPropertiesAsync()).Value.AccessTier);
        return tiers;
    }

    private static async Task<List<string>> ManifestTiersAsync(TestPlatform platform)
    {
        await using var command = platform.Database.CreateCommand("SELECT array_agg(tier ORDER BY file_id) FROM raw_event_files");
        return [.. (string[])(await command.ExecuteScalarAsync())!];
    }
}
