using System.Text.Json;
using Azure.Storage.Blobs;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>The command as a person uses it: beside a running platform, and on the data of one that was killed.</summary>
public sealed class ReconcileTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("platform-reconcile-").FullName;

    [Fact]
    public async Task Reconcile_DamagedFiles_AreListedAndRepairedFromTheStream()
    {
        var cancellation = TestContext.Current.CancellationToken;
        string[] settings = ["--", "--Archiver:FlushAge=00:00:01", "--Archiver:RestoreInterval=01:00:00"];
        string missing, damaged;
        await using (var platform = await PlatformProcess.RunAsync(_data, $"--simulator off {string.Join(' ', settings)}", cancellationToken: cancellation))
        {
            var connections = await platform.ConnectionsAsync(cancellation);
            await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
            using var stop = new CancellationTokenSource();
            var traffic = Task.Run(() => new Traffic(platform.Url, 300, seed: 4).RunAsync(stop.Token), cancellation);
            await Eventually.TrueAsync(async () => await LiveFilesAsync(database) >= 4, "several files");

            // Joined by the data folder, while events come in.
            var healthy = await ReconcileAsync("--data", _data);
            Assert.True(healthy.ExitCode == 0, healthy.Output + healthy.Errors);
            Assert.EndsWith("All agrees.", healthy.Output.Trim());
            Assert.Contains("blobs:", healthy.Errors);

            await stop.CancelAsync();
            await traffic;
            var container = new BlobContainerClient(connections.Blobs, "raw-events");
            missing = await LiveFileAsync(database, 0);
            damaged = await LiveFileAsync(database, 1);
            await container.DeleteBlobAsync(missing, cancellationToken: cancellation);
            var blob = container.GetBlobClient(damaged);
            var bytes = (await blob.DownloadContentAsync(cancellation)).Value.Content.ToArray();
            bytes[bytes.Length / 2] ^= 1;
            await blob.UploadAsync(new BinaryData(bytes), overwrite: true, cancellationToken: cancellation);

            var found = await ReconcileAsync("--connections", platform.ConnectionsFile, "--json");
            Assert.Equal(1, found.ExitCode);
            var report = JsonDocument.Parse(found.Output).RootElement;
            Assert.Equal([("blob_changed", damaged), ("blob_missing", missing)], report.GetProperty("findings").EnumerateArray().Select(f => (f.GetProperty("kind").GetString()!, f.GetProperty("subject").GetString()!)).Order());
            Assert.All(report.GetProperty("findings").EnumerateArray(), f => Assert.Contains("--repair", f.GetProperty("repair").GetString()));
            Assert.Equal(0, await platform.StopAsync(cancellation));
        }

        // On servers of its own.
        var listed = await ReconcileAsync("--data", _data);
        Assert.Equal(1, listed.ExitCode);
        Assert.Contains($"blob_missing  {missing}", listed.Output);
        Assert.Contains("It does not agree: 2 findings", listed.Output);
        Assert.Contains($"not compared  figures  {missing}: It is missing or damaged. The whole five-minute windows that its events lie in (", listed.Output);
        Assert.Contains($"not compared  dead_letters  {missing}: It is missing or damaged. No dead letter of the day (", listed.Output);
        Assert.EndsWith("Not everything could be compared: see above.", listed.Output.Trim());
        var repaired = await ReconcileAsync("--data", _data, "--repair");
        Assert.True(repaired.ExitCode == 0, repaired.Output + repaired.Errors);
        Assert.Contains($"repaired  {missing} as ", repaired.Output);
        Assert.Contains($"repaired  {damaged} as ", repaired.Output);
        // The damaged one is kept, and said to be.
        Assert.Contains($"info  blob_kept  {damaged}", repaired.Output);
        Assert.EndsWith("All agrees. For information: 1 blob_kept.", repaired.Output.Trim());
        Assert.False(File.Exists(Path.Combine(_data, "connections.json")));

        await using (var again = await PlatformProcess.RunAsync(_data, $"--simulator off {string.Join(' ', settings)}", cancellationToken: cancellation))
        {
            using var archive = await Archive.OpenAsync(await again.ConnectionsAsync(cancellation), cancellation);
            Assert.Equal(archive.Figures(), await Archive.LiveFiguresAsync(await again.ConnectionsAsync(cancellation), cancellation));
        }
    }

    [Fact]
    public async Task Reconcile_StreamHasNoLongerWhatIsMissing_SaysSoAndExits1()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var platform = await PlatformProcess.RunAsync(_data, "--simulator off -- --Archiver:FlushAge=00:00:01 --Archiver:RestoreInterval=01:00:00", cancellationToken: cancellation);
        var connections = await platform.ConnectionsAsync(cancellation);
        await using var database = NpgsqlDataSource.Create(connections.Paymentsdb);
        using (var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1)))
            await new Traffic(platform.Url, 300, seed: 5).RunAsync(stop.Token);
        await Eventually.TrueAsync(async () => await LiveFilesAsync(database) >= 1, "a file");
        var missing = await LiveFileAsync(database, 0);
        await new BlobContainerClient(connections.Blobs, "raw-events").DeleteBlobAsync(missing, cancellationToken: cancellation);
        await using (var command = database.CreateCommand("UPDATE stream_partitions p SET first_offset = c.next_offset FROM stream_checkpoints c WHERE c.log_id = p.log_id AND c.partition_id = p.partition_id AND c.consumer_group = 'archiver'"))
            await command.ExecuteNonQueryAsync(cancellation);

        var repair = await ReconcileAsync("--data", _data, "--repair", "--depth", "listing");

        Assert.Equal(1, repair.ExitCode);
        Assert.Contains($"not repaired  {missing}: The stream holds offsets", repair.Output);
        Assert.Contains($"blob_missing  {missing}", repair.Output);
        Assert.Contains("from a backup", repair.Output);
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static Task<PlatformCommand> ReconcileAsync(params string[] arguments) => PlatformCommand.RunAsync(["reconcile", .. arguments]);

    private static async Task<long> LiveFilesAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("SELECT count(*) FROM raw_event_files WHERE state = 'live'");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task<string> LiveFileAsync(NpgsqlDataSource database, int index)
    {
        await using var command = database.CreateCommand($"SELECT blob_name FROM raw_event_files WHERE state = 'live' ORDER BY file_id OFFSET {index} LIMIT 1");
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
