using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PaymentPlatform.BlobArchiver.Compaction;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests.Compaction;

/// <summary>Small files become one that holds exactly their events, in one step.</summary>
public sealed class CompactionTests(PlatformFixture fixture)
{
    private static readonly StreamPartition A0 = new("payments", "log-a", 0), A1 = new("payments", "log-a", 1), B0 = new("payments", "log-b", 0), B4 = new("payments", "log-b", 4);

    [Fact]
    public async Task Compact_FilesOfTwoLogs_HoldsTheSameRowsInArrivalOrder()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await StartAsync(platform);
        var files = new SmallFiles(platform, archiver);
        // Another log, with another number of partitions, begins in the middle of the hour; and one range does not touch the next.
        ManifestEntry[] originals =
        [
            await files.WriteAsync(0, new(A0, 0, 100), new(A1, 0, 30)),
            await files.WriteAsync(10, new(A0, 100, 120), new(A1, 32, 60)),
            await files.WriteAsync(20, new(B0, 0, 50), new(B4, 0, 50)),
            await files.WriteAsync(30, new OffsetRange(B4, 50, 90)),
        ];
        var (duckDb, ours) = (await files.ByDuckDbAsync(), (await files.ByReaderAsync()).SelectMany(f => f).Select(SmallFiles.Describe).Order(StringComparer.Ordinal).ToList());
        Assert.Equal(318, duckDb.Count);

        Assert.Equal(4, await files.Compactor.CompactAsync(CancellationToken.None));

        Assert.Equal(duckDb, await files.ByDuckDbAsync());
        var merged = Assert.Single(await files.ByReaderAsync());
        Assert.Equal(ours, merged.Select(SmallFiles.Describe).Order(StringComparer.Ordinal));
        AssertInArrivalOrder(merged);
        Assert.Equal(
            ["log-a/0 0-120", "log-a/1 0-30", "log-a/1 32-60", "log-b/0 0-50", "log-b/4 0-90"],
            await TextsAsync(platform, "SELECT log_id || '/' || partition_id || ' ' || first_offset || '-' || next_offset FROM raw_event_ranges WHERE live ORDER BY 1"));
        // The originals' facts, added up; the same folder; each original says where its events are now.
        Assert.Equal(1, await platform.CountAsync(
            $"""
            SELECT count(*) FROM raw_event_files m, (
              SELECT sum(row_count) AS r, sum(valid_count) AS v, min(min_transaction_timestamp) AS t1, max(max_transaction_timestamp) AS t2, min(min_enqueued_at) AS e1, max(max_enqueued_at) AS e2,
                     count(*) AS n, min(superseded_by::text) AS s1, max(superseded_by::text) AS s2, max(gone_generation) AS gone, bool_or(live_generation >= gone_generation) AS wrong
              FROM raw_event_files WHERE state = 'superseded') o
            WHERE m.state = 'live' AND (m.row_count, m.valid_count, m.min_transaction_timestamp, m.max_transaction_timestamp, m.min_enqueued_at, m.max_enqueued_at) = (o.r, o.v, o.t1, o.t2, o.e1, o.e2)
              AND o.n = 4 AND o.s1 = m.file_id::text AND o.s2 = o.s1 AND NOT wrong AND m.blob_name LIKE '{ArchiveFileName.Folder(originals[1].BlobName)}%'
            """));
        Assert.Equal(0, await files.Compactor.CompactAsync(CancellationToken.None));
        Assert.DoesNotContain(archiver.Log.Lines, l => l.Level > LogLevel.Information);
    }

    [Fact]
    public async Task Compact_OpenHourOrPendingFile_IsLeftAlone()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await StartAsync(platform);
        var files = new SmallFiles(platform, archiver);
        await files.WriteAsync(0, new OffsetRange(A0, 0, 10));
        await files.WriteAsync(5, new OffsetRange(A0, 10, 20));
        await files.WriteAsync(65, new OffsetRange(A0, 20, 30));
        const string Rename = "UPDATE raw_event_files SET blob_name = to_char((now() - interval '{0} minutes') AT TIME ZONE 'UTC', '\"raw_events/yyyy=\"YYYY\"/mm=\"MM\"/dd=\"DD\"/hh=\"HH24\"/\"') || substring(blob_name FROM '[^/]*$') WHERE min_enqueued_at < '2025-12-05T15:00Z'";
        // Over for less than an hour.
        await platform.ExecuteAsync(string.Format(Rename, 60));
        Assert.Equal(0, await files.Compactor.CompactAsync(CancellationToken.None));
        Assert.Equal(3, await platform.CountFilesAsync("live"));

        // Closed, but a writer is at it.
        await platform.ExecuteAsync(string.Format(Rename, 180));
        await platform.ExecuteAsync("INSERT INTO raw_event_files (file_id, blob_name, state, owner) SELECT gen_random_uuid(), blob_name || 'x', 'pending', 'somebody' FROM raw_event_files ORDER BY blob_name DESC LIMIT 1");
        Assert.Equal(0, await files.Compactor.CompactAsync(CancellationToken.None));
        Assert.Equal(3, await platform.CountFilesAsync("live"));
    }

    [Fact]
    public async Task Compact_MoreThanOneFileTakes_MakesSeveral()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await StartAsync(platform, ("CompactionRows", "100"));
        var files = new SmallFiles(platform, archiver);
        var next = 0L;
        foreach (var rows in (int[])[30, 30, 30, 60, 30, 20, 20])
            await files.WriteAsync((int)(next / 10), new OffsetRange(A0, next, next += rows));
        var before = await files.ByDuckDbAsync();
        // 60 is no small file, and nothing is merged across it.
        Assert.Equal(6, await files.Compactor.CompactAsync(CancellationToken.None));
        Assert.Equal(["0-90", "150-220", "90-150"], await TextsAsync(platform, "SELECT first_offset || '-' || next_offset FROM raw_event_ranges WHERE live ORDER BY 1"));
        Assert.Equal(before, await files.ByDuckDbAsync());
        Assert.Equal(0, await files.Compactor.CompactAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData((int)WriteStage.Announce, "")]
    [InlineData((int)WriteStage.Upload, "pending")]
    [InlineData((int)WriteStage.Commit, "pending")]
    public async Task Compact_KilledBeforeTheCommit_LeavesTheOriginals(int stage, string left)
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await StartAsync(platform);
        var files = new SmallFiles(platform, archiver);
        await WriteThreeAsync(files);
        var before = await files.ByDuckDbAsync();
        using var killed = new CancellationTokenSource();
        archiver.Probe.Before = (reached, _, _) => reached == (WriteStage)stage ? killed.CancelAsync() : Task.CompletedTask;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => files.Compactor.CompactAsync(killed.Token));
        Assert.Equal((3, left.Length > 0 ? 1 : 0, 3), (await platform.CountFilesAsync("live"), await platform.CountFilesAsync("pending"), await platform.CountAsync("SELECT count(*) FROM raw_event_ranges WHERE live")));
        Assert.Equal(before, await files.ByDuckDbAsync());

        // Once the sweeper has cleared away what is left, it is done again.
        archiver.Probe.Before = null;
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = now() - interval '1 hour' WHERE state = 'pending'");
        await archiver.Host.Services.GetRequiredService<ArchiveSweeper>().SweepAsync(CancellationToken.None);
        Assert.Equal(3, await files.Compactor.CompactAsync(CancellationToken.None));
        Assert.Equal(before, await files.ByDuckDbAsync());
        Assert.Equal(1, await platform.CountFilesAsync("live"));
    }

    [Fact]
    public async Task Compact_CommitAnswerLost_IsDoneOnce()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await StartAsync(platform);
        var files = new SmallFiles(platform, archiver);
        await WriteThreeAsync(files);
        var before = await files.ByDuckDbAsync();
        // What an earlier attempt committed is found when it is tried again.
        archiver.Probe.Before = async (stage, id, token) =>
        {
            if (stage == WriteStage.Commit)
                await platform.ExecuteAsync(
                    $"""
                    UPDATE raw_event_ranges SET live = false;
                    UPDATE raw_event_files SET state = 'superseded', superseded_by = '{id}' WHERE state = 'live';
                    UPDATE raw_event_files SET state = 'live', archived_at = now(), row_count = 60, byte_size = 1, sha256 = '' WHERE file_id = '{id}'
                    """);
        };
        Assert.Equal(3, await files.Compactor.CompactAsync(CancellationToken.None));
        Assert.Equal(1, await platform.CountFilesAsync("live"));
        Assert.Equal(0, await platform.CountFilesAsync("abandoned") + await platform.CountFilesAsync("deleted"));
        Assert.NotEmpty(before);
    }

    [Fact]
    public async Task Compact_TwoAtOnce_MergeOnce()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var (first, second) = (await StartAsync(platform), await StartAsync(platform));
        var (files, others) = (new SmallFiles(platform, first), new SmallFiles(platform, second));
        await WriteThreeAsync(files);
        var before = await files.ByDuckDbAsync();
        // The first loses its lock, as after a fault of its connection, and does not know.
        using var paused = new Pause(WriteStage.Commit);
        first.Probe.Before = paused.ReachedAsync;
        var stale = files.Compactor.CompactAsync(CancellationToken.None);
        await paused.Reached;
        Assert.Null(await others.Compactor.CompactAsync(CancellationToken.None));
        await platform.ExecuteAsync($"SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND granted AND ((classid::bigint << 32) | objid::bigint) = {Storage.Database.AdvisoryLock.Compactor} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");
        // The row of the first is pending: it looks alive until the sweeper gives it up.
        Assert.Equal(0, await others.Compactor.CompactAsync(CancellationToken.None));
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = now() - interval '1 hour' WHERE state = 'pending'");
        await second.Host.Services.GetRequiredService<ArchiveSweeper>().SweepAsync(CancellationToken.None);
        Assert.Equal(3, await others.Compactor.CompactAsync(CancellationToken.None));
        paused.Resume();
        Assert.Equal(0, await stale);
        Assert.Equal(before, await files.ByDuckDbAsync());
        Assert.Equal(1, await platform.CountFilesAsync("live"));
    }

    [Fact]
    public async Task Compact_OriginalLostMeanwhile_LeavesAll()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await StartAsync(platform);
        var files = new SmallFiles(platform, archiver);
        await WriteThreeAsync(files);
        archiver.Probe.Before = (stage, _, _) => stage == WriteStage.Commit
            ? platform.ExecuteAsync("UPDATE raw_event_files SET state = 'lost' WHERE file_id = (SELECT min(file_id::text)::uuid FROM raw_event_files WHERE state = 'live')")
            : Task.CompletedTask;
        Assert.Equal(0, await files.Compactor.CompactAsync(CancellationToken.None));
        Assert.Equal((2, 1, 0, 3), (await platform.CountFilesAsync("live"), await platform.CountFilesAsync("lost"), await platform.CountFilesAsync("superseded"), await platform.CountAsync("SELECT count(*) FROM raw_event_ranges WHERE live")));
    }

    [Fact]
    public async Task Compact_DamagedAndMissingBlobs_MergesTheOthers()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await StartAsync(platform);
        var files = new SmallFiles(platform, archiver);
        var names = new List<string>();
        for (var i = 0; i < 7; i++)
            names.Add((await files.WriteAsync(i, new OffsetRange(A0, i * 20, (i * 20) + 20))).BlobName);
        var blob = platform.Container.GetBlobClient(names[2]);
        var bytes = (await blob.DownloadContentAsync()).Value.Content.ToArray();
        bytes[bytes.Length / 2] ^= 1;
        await blob.UploadAsync(BinaryData.FromBytes(bytes), overwrite: true);
        await platform.Container.DeleteBlobAsync(names[5]);
        // 0 and 1, 3 and 4; 6 is alone.
        Assert.Equal(4, await files.Compactor.CompactAsync(CancellationToken.None));
        Assert.Equal(["0-40", "100-120", "120-140", "40-60", "60-100"], await TextsAsync(platform, "SELECT first_offset || '-' || next_offset FROM raw_event_ranges WHERE live ORDER BY 1"));
        Assert.True(archiver.Log.Has(LogLevel.Warning, $"{names[2]} is left out of compaction: its bytes are not"));
        Assert.True(archiver.Log.Has(LogLevel.Warning, $"{names[5]} is left out of compaction: the store has no such blob"));
    }

    [Fact]
    public async Task Compact_MergedFileDiffers_IsNotStored()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await StartAsync(platform);
        var files = new SmallFiles(platform, archiver);
        await WriteThreeAsync(files);
        await using (var command = platform.Database.CreateCommand("SELECT file_id, blob_name, row_count, byte_size, sha256 FROM raw_event_files ORDER BY file_id"))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            var originals = new List<MergeFile>();
            while (await reader.ReadAsync())
                originals.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetFieldValue<byte[]>(4), true, []));
            var blobs = archiver.Host.Services.GetRequiredService<ArchiveBlobs>();
            using var all = await ArchiveMerge.OfAsync(originals, blobs, 256 << 20, CancellationToken.None);
            using var two = await ArchiveMerge.OfAsync(originals[..2], blobs, 256 << 20, CancellationToken.None);
            using var file = ParquetSerializer.Serialize(all.Events, 0);
            await all.CheckAsync(file, CancellationToken.None);
            await Assert.ThrowsAsync<InvalidDataException>(() => two.CheckAsync(file, CancellationToken.None));
            // The manifest says that there are more.
            await Assert.ThrowsAsync<InvalidDataException>(() => ArchiveMerge.OfAsync([originals[0], originals[1] with { Rows = 21 }], blobs, 256 << 20, CancellationToken.None));
        }
    }

    [Fact]
    public async Task Sweep_SupersededFiles_GoOnceTheyAreOldAndTheMergedFileIsThere()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await StartAsync(platform);
        var files = new SmallFiles(platform, archiver);
        await WriteThreeAsync(files);
        await files.Compactor.CompactAsync(CancellationToken.None);
        var merged = Assert.Single(await TextsAsync(platform, "SELECT blob_name FROM raw_event_files WHERE state = 'live'"));
        var sweeper = archiver.Host.Services.GetRequiredService<ArchiveSweeper>();
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = clock_timestamp() - interval '23 hours' WHERE state = 'superseded'");
        Assert.Equal(0, await sweeper.SweepAsync(CancellationToken.None));
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = clock_timestamp() - interval '25 hours' WHERE state = 'superseded'");

        var content = (await platform.Container.GetBlobClient(merged).DownloadContentAsync()).Value.Content;
        await platform.Container.DeleteBlobAsync(merged);
        Assert.Equal(0, await sweeper.SweepAsync(CancellationToken.None));
        Assert.True(archiver.Log.Has(LogLevel.Warning, $"the store does not have {merged}"));
        await platform.Container.UploadBlobAsync(merged, content);

        Assert.Equal(3, await sweeper.SweepAsync(CancellationToken.None));
        Assert.Equal((1, 3), (await platform.CountFilesAsync("live"), await platform.CountFilesAsync("deleted")));
        Assert.Equal(1, await platform.Container.GetBlobsAsync().CountAsync());
        Assert.Equal(60, (await files.ByDuckDbAsync()).Count);
    }

    [Fact]
    public async Task Restore_MergedFileLost_IsWrittenAgainFromItsOriginals()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await StartAsync(platform);
        var files = new SmallFiles(platform, archiver);
        await WriteThreeAsync(files);
        var before = await files.ByDuckDbAsync();
        await files.Compactor.CompactAsync(CancellationToken.None);
        var restorer = archiver.Host.Services.GetRequiredService<MergedFileRestorer>();
        Assert.Equal(0, await restorer.RestoreAsync(CancellationToken.None));
        // Twice: the originals follow the file.
        for (var times = 1; times <= 2; times++)
        {
            await platform.Container.DeleteBlobAsync(Assert.Single(await TextsAsync(platform, "SELECT blob_name FROM raw_event_files WHERE state = 'live'")));
            Assert.Equal(1, await restorer.RestoreAsync(CancellationToken.None));
            Assert.Equal((1, times, 3), (await platform.CountFilesAsync("live"), await platform.CountFilesAsync("lost"), await platform.CountFilesAsync("superseded")));
            Assert.Equal(before, await files.ByDuckDbAsync());
        }
    }

    [Fact]
    public async Task Repair_MergedFileDamaged_IsWrittenAgainFromItsOriginals()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await StartAsync(platform);
        var files = new SmallFiles(platform, archiver);
        await WriteThreeAsync(files);
        var before = await files.ByDuckDbAsync();
        await files.Compactor.CompactAsync(CancellationToken.None);
        var name = Assert.Single(await TextsAsync(platform, "SELECT blob_name FROM raw_event_files WHERE state = 'live'"));
        var blob = platform.Container.GetBlobClient(name);
        // The same length: only the caller knows.
        var bytes = (await blob.DownloadContentAsync()).Value.Content.ToArray();
        bytes[bytes.Length / 2] ^= 1;
        await blob.UploadAsync(BinaryData.FromBytes(bytes), overwrite: true);

        var id = Guid.Parse(Assert.Single(await TextsAsync(platform, "SELECT file_id::text FROM raw_event_files WHERE state = 'live'")));
        var repaired = Assert.Single(await archiver.Host.Services.GetRequiredService<IArchiveRepair>().RepairAsync([id], CancellationToken.None));

        Assert.Equal((name, null), (repaired.BlobName, repaired.Reason));
        Assert.Equal([repaired.NewBlobName!], await TextsAsync(platform, "SELECT blob_name FROM raw_event_files WHERE state = 'live'"));
        Assert.Equal((1, 1, 3), (await platform.CountFilesAsync("live"), await platform.CountFilesAsync("lost"), await platform.CountFilesAsync("superseded")));
        Assert.Equal(before, await files.ByDuckDbAsync());
    }

    [Fact]
    public async Task Restore_MergedFileLostAndOriginalsGone_IsWrittenAgainFromTheStream()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 3);
        await platform.ExecuteAsync(
            """
            CREATE FUNCTION earlier() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.enqueued_at := NEW.enqueued_at - interval '3 hours'; RETURN NEW; END $$;
            CREATE TRIGGER earlier BEFORE INSERT ON stream_batches FOR EACH ROW EXECUTE FUNCTION earlier()
            """);
        var archiver = await StartAsync(platform, ("FlushRows", "70"));
        for (var i = 0; i < 500; i += 100)
            await platform.PublishAsync(i, 100);
        await platform.WaitForArchivedAsync(500);
        var before = await ArchiveContents.AssertCompleteAsync(platform, 500);
        Assert.InRange((await new SmallFiles(platform, archiver).Compactor.CompactAsync(CancellationToken.None))!.Value, 2, int.MaxValue);
        var merged = await ArchiveContents.AssertCompleteAsync(platform, 500);
        Assert.Equal(before.Select(r => (r.Partition, r.Offset, r.MessageId, r.RawText)), merged.Select(r => (r.Partition, r.Offset, r.MessageId, r.RawText)));

        foreach (var name in await TextsAsync(platform, "SELECT blob_name FROM raw_event_files"))
            await platform.Container.DeleteBlobIfExistsAsync(name);
        var lost = await platform.CountFilesAsync("live");
        Assert.Equal(0, await archiver.Host.Services.GetRequiredService<MergedFileRestorer>().RestoreAsync(CancellationToken.None));
        Assert.Equal((int)lost, await archiver.Host.Services.GetRequiredService<LostFileRestorer>().RestoreAsync(CancellationToken.None));
        var after = await ArchiveContents.AssertCompleteAsync(platform, 500);
        Assert.Equal(before.Select(r => (r.Partition, r.Offset, r.MessageId, r.RawText)), after.Select(r => (r.Partition, r.Offset, r.MessageId, r.RawText)));
    }

    /// <summary>Compaction only where a test says so.</summary>
    private static async Task<TestArchiver> StartAsync(TestPlatform platform, params (string, string)[] settings)
    {
        var archiver = await platform.StartArchiverAsync(null, [("CompactionInterval", "00:00:00"), ("SweepInterval", "01:00:00"), .. settings]);
        await Eventually.TrueAsync(async () => await platform.Container.ExistsAsync(), "the container");
        return archiver;
    }

    private static async Task WriteThreeAsync(SmallFiles files)
    {
        for (var i = 0; i < 3; i++)
            await files.WriteAsync(i, new OffsetRange(A0, i * 20, (i * 20) + 20));
    }

    private static void AssertInArrivalOrder(List<ArchivedEvent> events)
    {
        var latest = new Dictionary<StreamPartition, long>();
        var keys = events.ConvertAll(e => (latest[e.Partition] = Math.Max(latest.GetValueOrDefault(e.Partition), e.EnqueuedAtMicros), e.Partition, e.Offset));
        Assert.Equal(keys.Order(), keys);
        Assert.All(events.GroupBy(e => e.Partition), partition => Assert.Equal(partition.Select(e => e.Offset).Order(), partition.Select(e => e.Offset)));
    }

    private static async Task<List<string>> TextsAsync(TestPlatform platform, string sql)
    {
        await using var command = platform.Database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var texts = new List<string>();
        while (await reader.ReadAsync())
            texts.Add(reader.GetString(0));
        return texts;
    }
}
