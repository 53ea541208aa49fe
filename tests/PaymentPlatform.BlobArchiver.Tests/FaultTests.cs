using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>What goes wrong between reading and the committed transaction: never lost, never twice.</summary>
public sealed class FaultTests(PlatformFixture fixture)
{
    public static TheoryData<int, BlobFault[]> Uploads => new()
    {
        // One attempt a call: our own retry sees the fault. Three: the SDK's does.
        { 0, [BlobFault.Error500] },
        { 0, [BlobFault.Error503, BlobFault.CutBefore] },
        { 0, [BlobFault.CutAfterSuccess] },
        { 0, [BlobFault.Error500AfterSuccess] },
        { 3, [BlobFault.Error503, BlobFault.CutAfterSuccess] },
        { 3, [BlobFault.CutBefore, BlobFault.Error500AfterSuccess] },
    };

    [Theory]
    [MemberData(nameof(Uploads))]
    public async Task Upload_Faults_WritesTheFileOnce(int sdkRetries, BlobFault[] faults)
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 2);
        await platform.PublishAsync(0, 300);
        var archiver = await platform.StartArchiverAsync(a =>
        {
            a.BlobRetries = sdkRetries;
            a.BlobFaults.Then(faults);
        });
        await platform.WaitForArchivedAsync(300);
        Assert.True(archiver.BlobFaults.Exhausted);
        await ArchiveContents.AssertCompleteAsync(platform, 300);
        // The lost answers did not make second files.
        Assert.Equal(await platform.CountFilesAsync("live"), await CountBlobsAsync(platform));
        Assert.Equal(await platform.CountFilesAsync("live"), await platform.CountAsync("SELECT count(*) FROM raw_event_files"));
    }

    [Fact]
    public async Task Upload_OtherBlobUnderTheName_TakesAnotherName()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        await platform.PublishAsync(0, 100);
        var times = 0;
        var archiver = await platform.StartArchiverAsync(a => a.Probe.Before = async (stage, file, token) =>
        {
            if (stage != WriteStage.Upload || times++ > 0)
                return;
            await using var command = platform.Database.CreateCommand($"SELECT blob_name FROM raw_event_files WHERE file_id = '{file}'");
            await platform.Container.UploadBlobAsync((string)(await command.ExecuteScalarAsync(token))!, BinaryData.FromString("something else"), token);
        });
        await platform.WaitForArchivedAsync(100);
        await ArchiveContents.AssertCompleteAsync(platform, 100);
        Assert.True(archiver.Log.Has(LogLevel.Warning, "another name"));
        Assert.Equal(1, await platform.CountFilesAsync("deleted"));
        // The other blob is somebody else's: it stays.
        Assert.Equal(await platform.CountFilesAsync("live") + 1, await CountBlobsAsync(platform));
        await using var taken = platform.Database.CreateCommand("SELECT blob_name FROM raw_event_files WHERE state = 'deleted'");
        var there = await platform.Container.GetBlobClient((string)(await taken.ExecuteScalarAsync())!).DownloadContentAsync();
        Assert.Equal("something else", there.Value.Content.ToString());
    }

    [Fact]
    public async Task Upload_StoreDownForLong_KeepsTheFileAndGoesOn()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 2);
        var archiver = await platform.StartArchiverAsync(
            a =>
            {
                a.BlobRetries = 0;
                a.BlobFaults.Down = true;
            },
            // Much shorter than the outage: the writer's sign of life keeps its row.
            ("PendingTimeout", "00:00:01"), ("SweepInterval", "00:00:00.100"), ("MaxRetryDelay", "00:00:00.200"));
        await platform.PublishAsync(0, 300);
        await Eventually.TrueAsync(() => archiver.BlobFaults.Uploads > 15, "15 attempts");
        Assert.Equal(0, await platform.CountArchivedAsync());
        Assert.True(archiver.Log.Has(LogLevel.Warning, "Could not upload a file"));
        archiver.BlobFaults.Down = false;
        await platform.WaitForArchivedAsync(300);
        await ArchiveContents.AssertCompleteAsync(platform, 300);
        Assert.Equal(0, await platform.CountAsync("SELECT count(*) FROM raw_event_files WHERE state <> 'live'"));
    }

    [Fact]
    public async Task Flood_StoreDown_MemoryStaysBounded()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 2);
        var archiver = await platform.StartArchiverAsync(
            a =>
            {
                a.BlobRetries = 0;
                a.BlobFaults.Down = true;
            },
            ("FlushBytes", "1048576"), ("FlushAge", "00:00:30"), ("Streaming:PrefetchBytes", "1048576"), ("Streaming:PrefetchBytesPerPartition", "1048576"));
        await platform.PublishAsync(0, 1000, bytes: 4096);
        await Eventually.TrueAsync(() => archiver.BlobFaults.Uploads > 2, "the store's refusal");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 1; i < 15; i++)
            await platform.PublishAsync(i * 1000, 1000, bytes: 4096);
        // 56 MB more in the stream. Nothing of it may pile up here.
        var uploads = archiver.BlobFaults.Uploads;
        await Eventually.TrueAsync(() => archiver.BlobFaults.Uploads > uploads + 5, "more refusals");
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 25 << 20);
        archiver.BlobFaults.Down = false;
        await platform.WaitForArchivedAsync(15_000);
        await ArchiveContents.AssertCompleteAsync(platform, 15_000);
    }

    [Fact]
    public async Task Commit_StaleOwner_AbandonsItsFileAndAnUploadThatStillArrives()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        await platform.PublishAsync(0, 200);
        await using var proxy = Proxy(platform);
        using var paused = new Pause(WriteStage.Commit);
        var stale = await platform.StartArchiverAsync(a =>
        {
            a.Probe.Before = paused.ReachedAsync;
            a.DatabaseConnectionString = proxy.ConnectionString(platform);
        }, ("SweepInterval", "01:00:00"));
        await paused.Reached;
        // It can't renew its leases, and doesn't know that another has them.
        proxy.Block();
        var archiver = await platform.StartArchiverAsync(null, ("SweepInterval", "01:00:00"));
        await platform.WaitForArchivedAsync(200);
        await platform.PublishAsync(200, 50);

        proxy.Unblock();
        paused.Resume();
        await platform.WaitForArchivedAsync(250);
        await Eventually.TrueAsync(async () => await platform.CountFilesAsync("abandoned") == 1 && await platform.CountFilesAsync("live") == await CountBlobsAsync(platform), "the stale file's deletion");
        await ArchiveContents.AssertCompleteAsync(platform, 250);
        Assert.True(stale.Log.Has(LogLevel.Warning, "was abandoned"));

        // An attempt to upload that was cut off reaches the store only now.
        await using var command = platform.Database.CreateCommand("SELECT blob_name FROM raw_event_files WHERE state = 'abandoned'");
        await platform.Container.UploadBlobAsync((string)(await command.ExecuteScalarAsync())!, BinaryData.FromString("late"));
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = clock_timestamp() - interval '31 seconds' WHERE state = 'abandoned'");
        Assert.Equal(1, await archiver.Host.Services.GetRequiredService<ArchiveSweeper>().SweepAsync(CancellationToken.None));
        Assert.Equal(1, await platform.CountFilesAsync("deleted"));
        Assert.Equal(await platform.CountFilesAsync("live"), await CountBlobsAsync(platform));
    }

    [Theory]
    [InlineData((int)WriteStage.Upload)]
    [InlineData((int)WriteStage.Commit)]
    public async Task Sweep_WhileTheWriterIsPaused_ItsEventsComeInAnotherFile(int stage)
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 2);
        await platform.PublishAsync(0, 200);
        using var paused = new Pause((WriteStage)stage);
        var archiver = await platform.StartArchiverAsync(a => a.Probe.Before = paused.ReachedAsync, ("PendingTimeout", "00:00:01"), ("SweepInterval", "00:00:00.100"));
        await paused.Reached;
        await Eventually.TrueAsync(async () => await platform.CountFilesAsync("deleted") == 1, "the sweep");
        Assert.Equal(0, await CountBlobsAsync(platform));

        paused.Resume();
        await platform.WaitForArchivedAsync(200);
        await ArchiveContents.AssertCompleteAsync(platform, 200);
        Assert.True(archiver.Log.Has(LogLevel.Warning, "was abandoned"));
        Assert.Equal(await platform.CountFilesAsync("live"), await CountBlobsAsync(platform));
        Assert.Equal(1, await platform.CountFilesAsync("deleted"));
    }

    [Fact]
    public async Task Sweep_DeadWriter_BlobIsDeletedOnceTheRowIsStale()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        await platform.PublishAsync(0, 100);
        using var paused = new Pause(WriteStage.Commit);
        var dead = await platform.StartArchiverAsync(a => a.Probe.Before = paused.ReachedAsync);
        await paused.Reached;
        await dead.KillAsync();
        Assert.Equal(1, await CountBlobsAsync(platform));
        Assert.Equal(1, await platform.CountFilesAsync("pending"));

        // By the database's clock.
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = state_changed_at - interval '29 seconds' WHERE state = 'pending'");
        var archiver = await platform.StartArchiverAsync(null, ("SweepInterval", "01:00:00"));
        var sweeper = archiver.Host.Services.GetRequiredService<ArchiveSweeper>();
        await platform.WaitForArchivedAsync(100);
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = clock_timestamp() - interval '20 seconds' WHERE state = 'pending'");
        Assert.Equal(0, await sweeper.SweepAsync(CancellationToken.None));
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = clock_timestamp() - interval '31 seconds' WHERE state = 'pending'");
        Assert.Equal(0, await sweeper.SweepAsync(CancellationToken.None));
        Assert.Equal(1, await platform.CountFilesAsync("abandoned"));
        Assert.Equal(await platform.CountFilesAsync("live"), await CountBlobsAsync(platform));
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = clock_timestamp() - interval '31 seconds' WHERE state = 'abandoned'");
        Assert.Equal(1, await sweeper.SweepAsync(CancellationToken.None));
        Assert.Equal(0, await sweeper.SweepAsync(CancellationToken.None));
        Assert.Equal(1, await platform.CountFilesAsync("deleted"));
        Assert.Equal(await platform.CountFilesAsync("live"), await CountBlobsAsync(platform));
        await ArchiveContents.AssertCompleteAsync(platform, 100);
    }

    [Fact]
    public async Task Sweep_UploadAfterTheSweep_IsDeletedAsWell()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await platform.StartArchiverAsync(null, ("SweepInterval", "01:00:00"));
        var sweeper = archiver.Host.Services.GetRequiredService<ArchiveSweeper>();
        await Eventually.TrueAsync(async () => await platform.Container.ExistsAsync(), "the container");
        const string Name = "raw_events/yyyy=2025/mm=12/dd=05/hh=14/019aeea0-0000-7000-8000-000000000001.parquet";
        await platform.ExecuteAsync($"INSERT INTO raw_event_files (file_id, blob_name, state, owner, state_changed_at) VALUES ('019aeea0-0000-7000-8000-000000000001', '{Name}', 'pending', 'dead', now() - interval '31 seconds')");
        Assert.Equal(0, await sweeper.SweepAsync(CancellationToken.None));
        Assert.Equal(1, await platform.CountFilesAsync("abandoned"));

        // Its writer wakes up, uploads, and is killed before it cleans up; twice, for the last sweep as well.
        await platform.Container.UploadBlobAsync(Name, BinaryData.FromString("late"));
        Assert.Equal(0, await sweeper.SweepAsync(CancellationToken.None));
        Assert.Equal(0, await CountBlobsAsync(platform));
        await platform.Container.UploadBlobAsync(Name, BinaryData.FromString("later"));
        await platform.ExecuteAsync("UPDATE raw_event_files SET state_changed_at = clock_timestamp() - interval '31 seconds'");
        Assert.Equal(1, await sweeper.SweepAsync(CancellationToken.None));
        Assert.Equal(0, await CountBlobsAsync(platform));
        Assert.Equal(1, await platform.CountFilesAsync("deleted"));
    }

    [Fact]
    public async Task Write_BufferThatMakesNoFile_FailsInsteadOfTryingForEver()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await platform.StartArchiverAsync();
        var writer = archiver.Host.Services.GetRequiredService<ArchiveFileWriter>();
        using var empty = new RawEventBuffer();
        var write = writer.WriteAsync(empty, [], (_, _, _) => Task.FromResult(true), CancellationToken.None);
        await Assert.ThrowsAsync<InvalidOperationException>(() => write.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(0, await platform.CountAsync("SELECT count(*) FROM raw_event_files"));
    }

    [Fact]
    public async Task Verify_Fails_BeginsAgainFromTheCheckpoints()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 2);
        await platform.PublishAsync(0, 200);
        var times = 0;
        var archiver = await platform.StartArchiverAsync(
            a => a.Probe.Before = (stage, _, _) => stage == WriteStage.Verify && times++ < 2 ? throw new InvalidDataException("not what was to be written") : Task.CompletedTask);
        await platform.WaitForArchivedAsync(200);
        await ArchiveContents.AssertCompleteAsync(platform, 200);
        Assert.True(archiver.Log.Has(LogLevel.Error, "The archiver failed"));
    }

    [Fact]
    public async Task Commit_RefusedByTheDatabase_AbandonsTheFileAndBeginsAgain()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        await platform.PublishAsync(0, 100);
        // A live file that holds offsets which the checkpoint has not passed: 23P01.
        await platform.ExecuteAsync(
            """
            INSERT INTO raw_event_files (file_id, blob_name, state, owner, archived_at, row_count, byte_size, sha256, state_changed_at)
            VALUES ('019aeea0-0000-7000-8000-000000000001', 'x', 'live', 'other', now(), 1, 1, '', now() - interval '1 day');
            INSERT INTO raw_event_ranges (file_id, stream, log_id, partition_id, first_offset, next_offset)
            SELECT '019aeea0-0000-7000-8000-000000000001', 'payments', log_id, 0, 0, 1 FROM stream_partitions
            """);
        var archiver = await platform.StartArchiverAsync();
        await Eventually.TrueAsync(() => archiver.Log.Lines.Count(l => l.Level == LogLevel.Error && l.Text.Contains("23P01", StringComparison.Ordinal)) > 1, "the second refusal");
        Assert.False(archiver.Log.Has(LogLevel.Warning, "Could not commit a file"));
        Assert.InRange(await platform.CountFilesAsync("abandoned"), 2, long.MaxValue);

        await platform.ExecuteAsync("DELETE FROM raw_event_ranges WHERE file_id = '019aeea0-0000-7000-8000-000000000001'; DELETE FROM raw_event_files WHERE blob_name = 'x'");
        await platform.WaitForArchivedAsync(100);
        await ArchiveContents.AssertCompleteAsync(platform, 100);
        await archiver.StopAsync();
        Assert.Equal(await platform.CountFilesAsync("live"), await CountBlobsAsync(platform));
    }

    [Fact]
    public async Task Sweep_AnotherIsAtIt_LeavesItAlone()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await platform.StartArchiverAsync(null, ("SweepInterval", "01:00:00"));
        var sweeper = archiver.Host.Services.GetRequiredService<ArchiveSweeper>();
        await using (var held = await AdvisoryLock.TryTakeAsync(platform.Database, AdvisoryLock.Sweeper, CancellationToken.None))
            Assert.Null(await sweeper.SweepAsync(CancellationToken.None));
        Assert.Equal(0, await sweeper.SweepAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Commit_ConnectionCut_OutcomeIsReadNotAssumed(bool afterSuccess)
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 2);
        await platform.PublishAsync(0, 200);
        await using var proxy = Proxy(platform);
        using var paused = new Pause(WriteStage.Commit);
        var archiver = await platform.StartArchiverAsync(a =>
        {
            a.Probe.Before = paused.ReachedAsync;
            a.DatabaseConnectionString = proxy.ConnectionString(platform);
        }, ("SweepInterval", "01:00:00"), ("FlushAge", "00:00:01"));
        await paused.Reached;
        var left = 1;
        // Retention commits as well: what is cut must be ours.
        proxy.OnCommit = () => Interlocked.Exchange(ref left, 0) == 1 ? afterSuccess : null;
        paused.Resume();
        await platform.WaitForArchivedAsync(200);
        await ArchiveContents.AssertCompleteAsync(platform, 200);
        Assert.Equal(1, proxy.Cuts);
        await Eventually.TrueAsync(() => archiver.Log.Has(LogLevel.Warning, "Could not commit a file"), "the fault's log line");
        // Neither a second file nor an abandoned one: the commit was made again, or found to have succeeded.
        Assert.Equal(0, await platform.CountAsync("SELECT count(*) FROM raw_event_files WHERE state <> 'live'"));
        Assert.Equal(await platform.CountFilesAsync("live"), await CountBlobsAsync(platform));
    }

    [Fact]
    public async Task Database_ConnectionsTerminatedAgainAndAgain_KeepsEachOnce()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture);
        await platform.StartArchiverAsync(null, ("FlushAge", "00:00:00.050"));
        var random = new Random(5);
        const string Terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'PaymentPlatform' AND query LIKE '%{0}%'";
        for (var i = 0; i < 30; i++)
        {
            await platform.PublishAsync(i * 100, 100);
            await Task.Delay(random.Next(0, 100));
            // Those whose last statement was the archiver's: in the middle of a commit, or idle.
            await platform.ExecuteAsync(string.Format(Terminate, random.Next(3) switch { 0 => "raw_event_files", 1 => "raw_event_ranges", _ => "COMMIT" }));
        }

        await platform.WaitForArchivedAsync(3000);
        await ArchiveContents.AssertCompleteAsync(platform, 3000);
    }

    [Fact]
    public async Task Revoked_PlannedWhileFlushing_NothingIsReadTwice()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 2);
        await platform.PublishAsync(0, 200);
        using var paused = new Pause(WriteStage.Upload);
        var first = await platform.StartArchiverAsync(a => a.Probe.Before = paused.ReachedAsync, ("Streaming:LeaseDuration", "00:00:30"));
        await paused.Reached;
        await platform.StartArchiverAsync(null, ("Streaming:LeaseDuration", "00:00:30"));
        await Eventually.TrueAsync(async () => await platform.CountAsync("SELECT count(*) FROM stream_members WHERE consumer_group = 'archiver'") == 2, "the second member");
        paused.Resume();
        await platform.WaitForArchivedAsync(200);
        await Eventually.TrueAsync(async () => await platform.CountAsync("SELECT count(DISTINCT owner) FROM stream_leases WHERE consumer_group = 'archiver'") == 2, "two owners");
        await platform.PublishAsync(200, 200);
        await platform.WaitForArchivedAsync(400);
        await ArchiveContents.AssertCompleteAsync(platform, 400);
        Assert.False(first.Log.Has(LogLevel.Warning, "was abandoned"));
    }

    private static DatabaseProxy Proxy(TestPlatform platform)
    {
        var address = new NpgsqlConnectionStringBuilder(platform.ConnectionString);
        return new(address.Host!, address.Port);
    }

    private static async Task<long> CountBlobsAsync(TestPlatform platform)
    {
        var count = 0;
        await foreach (var _ in platform.Container.GetBlobsAsync())
            count++;
        return count;
    }
}
