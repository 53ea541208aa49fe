using System.Net;
using Microsoft.Extensions.DependencyInjection;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class ArchiveFileCacheTests(PlatformFixture platform)
{
    [Fact]
    public async Task Query_BlobDamaged_503NamesIt()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
        var name = await host.Archive.AddFileAsync(EventsApiTests.Event(1, "1"));
        var blob = host.Connections.RawEvents.GetBlobClient(name);
        var bytes = (await blob.DownloadContentAsync()).Value.Content.ToArray();
        bytes[bytes.Length / 2] ^= 1;
        await blob.UploadAsync(new BinaryData(bytes), overwrite: true);
        foreach (var path in (string[])["/v1/events", "/v1/transactions/t-0"])
        {
            var problem = await host.GetAsync(path, HttpStatusCode.ServiceUnavailable);
            Assert.Contains(name, problem.GetProperty("detail").GetString());
            Assert.Contains("damaged", problem.GetProperty("detail").GetString());
            Assert.Contains("./platform reconcile --repair", problem.GetProperty("detail").GetString());
        }

        bytes[bytes.Length / 2] ^= 1;
        await blob.UploadAsync(new BinaryData(bytes), overwrite: true);
        Assert.Equal(2, (await host.GetAllAsync("/v1/events")).Count);
    }

    [Fact]
    public async Task Query_BlobMissing_503NamesItAndOtherRangesAnswer()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var name = await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
        await host.Archive.AddFileAsync(EventsApiTests.Event(5, "1"));
        await host.Connections.RawEvents.DeleteBlobAsync(name);
        var problem = await host.GetAsync("/v1/events", HttpStatusCode.ServiceUnavailable);
        Assert.Contains(name, problem.GetProperty("detail").GetString());
        Assert.Contains("missing", problem.GetProperty("detail").GetString());
        Assert.Contains("./platform reconcile --repair", problem.GetProperty("detail").GetString());
        Assert.Single(await host.GetAllAsync("/v1/events?from=2026-01-01T00:00:03Z"));
    }

    [Fact]
    public async Task Export_BlobMissingInMidAnswer_CutsTheConnection()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:SliceRows"] = "1" });
        for (var i = 0; i < 60; i++)
            await host.Archive.AddFileAsync(EventsApiTests.Event(i, "1") with { RawPayload = new byte[20_000] });
        var name = await host.Archive.AddFileAsync(EventsApiTests.Event(300, "1"));
        await host.Connections.RawEvents.DeleteBlobAsync(name);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events") { Headers = { { "Accept", "application/x-ndjson" } } };
        using var stream = await host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, stream.StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => stream.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Query_BytesAreThoseOfTheManifestButNotParquet_503NamesIt()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var name = await host.Archive.AddParquetAsync(new byte[1000], 0, RandomArchive.Start, 0, RandomArchive.Start, 1, 1);
        var problem = await host.GetAsync("/v1/events", HttpStatusCode.ServiceUnavailable);
        Assert.Contains(name, problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Acquire_MoreThanItsSize_EvictsTheLeastRecentlyUsedButNoneInUse()
    {
        await using var host = await QueryHost.StartAsync(platform, services: QueryHost.WithCacheOf(120_000));
        var cache = host.App.Services.GetRequiredService<ArchiveFileCache>();
        var random = new Random(3);
        var files = new List<ArchiveFile>();
        for (var i = 0; i < 6; i++)
        {
            var payload = new byte[25_000];
            random.NextBytes(payload);
            await host.Archive.AddFileAsync(EventsApiTests.Event(i, "1") with { RawPayload = payload });
        }

        files.AddRange((await host.App.Services.GetRequiredService<ManifestReader>().FindAsync(TimeAxis.Transaction, null, null, null, default)).Files.OrderBy(f => f.Min));
        using (var held = await cache.AcquireAsync(files, default))
        {
            Assert.True(cache.Bytes > 120_000, "All files are in use: none may go.");
            Assert.All(held.BlobNames.Keys, path => Assert.True(File.Exists(path)));
        }

        Assert.True(cache.Bytes <= 120_000);
        var kept = Directory.GetFiles(cache.Directory.Files).Select(Path.GetFileNameWithoutExtension).ToHashSet();
        Assert.Equal(kept.Count, files.Count(f => kept.Contains(f.Sha256)));
        Assert.InRange(kept.Count, 1, 3);

        // Used again, the oldest of the kept ones outlives the others.
        var oldest = files.First(f => kept.Contains(f.Sha256));
        using (await cache.AcquireAsync([oldest], default))
        {
        }

        using (await cache.AcquireAsync([files.First(f => !kept.Contains(f.Sha256))], default))
        {
        }

        Assert.True(File.Exists(cache.Directory.CopyPath(oldest.Sha256)));
        Assert.True(cache.Bytes <= 120_000);
        Assert.Equal(6, (await host.GetAllAsync("/v1/events?limit=2")).Count);
    }

    [Fact]
    public async Task Acquire_ManyAtOnce_FetchOnce()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
        var cache = host.App.Services.GetRequiredService<ArchiveFileCache>();
        var files = (await host.App.Services.GetRequiredService<ManifestReader>().FindAsync(TimeAxis.Transaction, null, null, null, default)).Files;
        long downloaded = 0;
        using var listener = new System.Diagnostics.Metrics.MeterListener { InstrumentPublished = (instrument, l) => { if (instrument.Name == "query.cache.downloaded") l.EnableMeasurementEvents(instrument); } };
        var meter = host.App.Services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>();
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meter))
                Interlocked.Add(ref downloaded, value);
        });
        listener.Start();
        var held = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => cache.AcquireAsync(files, default))));
        Assert.Equal(files[0].Bytes, downloaded);
        Array.ForEach(held, h => h.Dispose());
    }

    [Fact]
    public async Task Start_CopiesOfAnEarlierRun_AreUsedOnlyWhenIntact()
    {
        var directory = Directory.CreateTempSubdirectory("query-test-cache-").FullName;
        var database = await platform.CreateDatabaseAsync();
        var settings = new Dictionary<string, string?> { ["Query:CacheDirectory"] = directory };
        string copy;
        await using (var first = await QueryHost.StartAsync(platform, settings, database))
        {
            await first.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
            Assert.Single(await first.GetAllAsync("/v1/events"));
            copy = Assert.Single(Directory.GetFiles(directory, "*.parquet", SearchOption.AllDirectories));

            // A second process with the same folder has a place of its own.
            await using var second = await QueryHost.StartAsync(platform, settings, database);
            Assert.Single(await second.GetAllAsync("/v1/events"));
            Assert.Equal(2, Directory.GetFiles(directory, "*.parquet", SearchOption.AllDirectories).Length);
        }

        var bytes = await File.ReadAllBytesAsync(copy);
        bytes[10] ^= 1;
        await File.WriteAllBytesAsync(copy, bytes);
        await using (var again = await QueryHost.StartAsync(platform, settings, database))
            Assert.Single(await again.GetAllAsync("/v1/events"));
        bytes[10] ^= 1;
        Assert.Equal(bytes, await File.ReadAllBytesAsync(copy));

        // An intact copy is used as it is: the blob is not needed.
        await using (var offline = await QueryHost.StartAsync(platform, settings, database))
        {
            await offline.Connections.RawEvents.DeleteIfExistsAsync();
            Assert.Single(await offline.GetAllAsync("/v1/events"));
        }

        Directory.Delete(directory, recursive: true);
    }
}
