using System.Security.Cryptography;
using Npgsql;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.Reconciliation.ReconciliationReports;

namespace PaymentPlatform.Query.Tests.Reconciliation;

/// <summary>The manifest against the store.</summary>
public sealed class ReconciledBlobsTests(PlatformFixture fixture)
{
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
}
