using System.Net;
using System.Text;
using System.Text.Json;
using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Query.Lookup;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests.Lookup;

public sealed class LookupTests(PlatformFixture platform)
{
    private const int Files = 24;
    private const int RowsPerFile = 120;

    [Theory]
    [InlineData(268_435_456)]
    // Some of the filters in memory, and none.
    [InlineData(4096)]
    [InlineData(0)]
    public async Task GetTransaction_ThousandIds_EqualToBruteForce(long indexBytes)
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:LookupIndexBytes"] = $"{indexBytes}", ["Query:SliceRows"] = "300" });
        var events = await FillAsync(host, new(17));
        var random = new Random(18);
        var (present, absent) = (0, 0);
        for (var i = 0; i < 1000; i++)
        {
            var id = Id(random.Next(1400));
            _ = await AssertFoundAsync(host, events, id) ? present++ : absent++;
            // All of the answer is what it was when every file was read.
            if (i < 25)
                Assert.Equal(await ScanAllAsync(host, id), await TrailAsync(host, id));
        }

        Assert.True(present > 300 && absent > 300, $"{present} {absent}");
        var index = host.App.Services.GetRequiredService<LookupIndex>();
        Assert.InRange(index.MemoryBytes, Math.Min(indexBytes, 2048), indexBytes);
        var candidates = 0;
        for (var i = 0; i < 500; i++)
            candidates += (await index.FindAsync($"absent-{i}", default)).Files.Count;
        Assert.InRange(candidates, 0, 500 * Files / 100);
    }

    [Fact]
    public async Task GetTransaction_FilesComeAndGo_FollowsTheManifest()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.GetAsync("/v1/transactions/a-1", HttpStatusCode.NotFound);
        var first = await RealFiles.AddAsync(host, [Payload("a-1")], 0);
        Assert.Equal(["m-0"], await MessageIdsAsync(host, "a-1"));
        await RealFiles.AddAsync(host, [Payload("a-2"), Payload("a-1")], 1);
        Assert.Equal(["m-0", "m-2"], await MessageIdsAsync(host, "a-1"));
        await host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'superseded' WHERE blob_name = $1", new Npgsql.NpgsqlParameter { Value = first });
        Assert.Equal(["m-2"], await MessageIdsAsync(host, "a-1"));
        // One of another writer, without filters.
        await host.Archive.AddFileAsync(EventsApiTests.Event(9, "1") with { TransactionId = "a-1" });
        Assert.Equal(2, (await MessageIdsAsync(host, "a-1")).Count);
        await host.GetAsync("/v1/transactions/a-3", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Start_FiltersOfAnEarlierRun_NeedNoBlob()
    {
        var directory = Directory.CreateTempSubdirectory("query-test-cache-").FullName;
        var database = await platform.CreateDatabaseAsync();
        var settings = new Dictionary<string, string?> { ["Query:CacheDirectory"] = directory };
        ILookup<string, string> events;
        await using (var first = await QueryHost.StartAsync(platform, settings, database))
        {
            events = await FillAsync(first, new(19));
            Assert.Equal(Files * RowsPerFile, (await first.GetAllAsync("/v1/events?is_valid=false&limit=1000")).Count);
            await first.App.Services.GetRequiredService<LookupIndex>().FillAsync(default);
            foreach (var blob in first.Connections.RawEvents.GetBlobs())
                await first.Connections.RawEvents.DeleteBlobAsync(blob.Name);
        }

        await using (var second = await QueryHost.StartAsync(platform, settings, database))
        {
            for (var i = 0; i < 1400; i += 7)
                await AssertFoundAsync(second, events, Id(i));
        }

        Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData(268_435_456)]
    [InlineData(0)]
    public async Task Start_FiltersOfAnEarlierRunDamaged_EveryIdIsFound(long indexBytes)
    {
        var directory = Directory.CreateTempSubdirectory("query-test-cache-").FullName;
        var database = await platform.CreateDatabaseAsync();
        var settings = new Dictionary<string, string?> { ["Query:CacheDirectory"] = directory, ["Query:LookupIndexBytes"] = $"{indexBytes}" };
        ILookup<string, string> events;
        await using (var first = await QueryHost.StartAsync(platform, settings, database))
        {
            events = await FillAsync(first, new(20));
            await first.App.Services.GetRequiredService<LookupIndex>().FillAsync(default);
        }

        var store = Assert.Single(Directory.GetFiles(directory, "filters.bin", SearchOption.AllDirectories));
        var random = new Random(21);
        for (var round = 0; round < 3; round++)
        {
            var bytes = await File.ReadAllBytesAsync(store);
            for (var i = 0; i < 10; i++)
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(store, bytes);
            await using var host = await QueryHost.StartAsync(platform, settings, database);
            for (var i = round; i < 1400; i += 10)
                await AssertFoundAsync(host, events, Id(i));
        }

        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task GetTransaction_FiltersInTheBlobDamaged_503NamesIt()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:LookupRefresh"] = "01:00:00" });
        var rows = Enumerable.Range(0, 5000).Select(i => Payload($"d-{i}")).ToArray();
        var name = await RealFiles.AddAsync(host, rows, 0, rowsPerGroup: 5000);
        // The state before the index has seen it: the filter lies in front of the footer.
        var blob = host.Connections.RawEvents.GetBlobClient(name);
        var bytes = (await blob.DownloadContentAsync()).Value.Content.ToArray();
        var footer = BitConverter.ToInt32(bytes, bytes.Length - 8) + 8;
        bytes[^(footer + 100)] ^= 1;
        await blob.UploadAsync(new BinaryData(bytes), overwrite: true);
        var problem = await host.GetAsync("/v1/transactions/d-7", HttpStatusCode.ServiceUnavailable);
        Assert.Contains(name, problem.GetProperty("detail").GetString());
        Assert.Contains("damaged", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task GetTransaction_BlobMissing_503WhereItMayHoldTheId()
    {
        var log = new LogCollector();
        await using var host = await QueryHost.StartAsync(platform, services: services => services.AddSingleton<ILoggerProvider>(log));
        var name = await RealFiles.AddAsync(host, [Payload("x-1")], 0);
        await RealFiles.AddAsync(host, [Payload("x-2")], 1);
        await host.App.Services.GetRequiredService<LookupIndex>().FillAsync(default);
        await host.Connections.RawEvents.DeleteBlobAsync(name);
        var problem = await host.GetAsync("/v1/transactions/x-1", HttpStatusCode.ServiceUnavailable);
        Assert.Contains(name, problem.GetProperty("detail").GetString());
        Assert.Equal(["m-1"], await MessageIdsAsync(host, "x-2"));

        // Never seen, it may hold any id.
        var unseen = await RealFiles.AddAsync(host, [Payload("x-3")], 2);
        await host.Connections.RawEvents.DeleteBlobAsync(unseen);
        problem = await host.GetAsync("/v1/transactions/x-2", HttpStatusCode.ServiceUnavailable);
        Assert.Contains(unseen, problem.GetProperty("detail").GetString());
        Assert.True(log.Has(LogLevel.Warning, $"The Bloom filters of {unseen} can't be had: 404 BlobNotFound. Every lookup"));
    }

    [Theory]
    [InlineData(268_435_456)]
    [InlineData(0)]
    public async Task GetTransaction_MostFilesAreGone_TheFiltersOnDiskShrinkMeanwhile(long indexBytes)
    {
        await using var host = await QueryHost.StartAsync(
            platform, new() { ["Query:LookupIndexBytes"] = $"{indexBytes}" }, services: services => services.Configure<QueryOptions>(o => o.LookupGarbageBytes = 1000));
        var names = new List<string>();
        for (var file = 0; file < 10; file++)
            names.Add(await RealFiles.AddAsync(host, [.. Enumerable.Range(file * 50, 50).Select(i => Payload($"g-{i}"))], file * 50));
        var index = host.App.Services.GetRequiredService<LookupIndex>();
        await index.FillAsync(default);
        var store = Assert.Single(Directory.GetFiles(host.CacheDirectory, "filters.bin", SearchOption.AllDirectories));
        var before = new FileInfo(store).Length;
        await host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'superseded' WHERE blob_name = ANY ($1)", new Npgsql.NpgsqlParameter { Value = names[..8].ToArray() });

        await Eventually.TrueAsync(
            async () =>
            {
                await index.FillAsync(default);
                return new FileInfo(store).Length < before / 2;
            },
            "the filters of files that are gone are dropped");

        for (var i = 400; i < 500; i++)
            Assert.Equal([$"m-{i}"], await MessageIdsAsync(host, $"g-{i}"));
        await host.GetAsync("/v1/transactions/g-7", HttpStatusCode.NotFound);
        await RealFiles.AddAsync(host, [Payload("g-500")], 500);
        Assert.Equal(["m-500"], await MessageIdsAsync(host, "g-500"));
    }

    [Fact]
    public async Task GetTransaction_ManyAtOnceWhileFilesArrive_AllFindTheirs()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:QueueTimeout"] = "00:02:00" });
        for (var file = 0; file < 12; file++)
        {
            var (from, to) = (file * 5, (file * 5) + 5);
            await RealFiles.AddAsync(host, [.. Enumerable.Range(from, 5).Select(i => Payload($"p-{i}"))], from);
            await Task.WhenAll(Enumerable.Range(0, to).Select(async i => Assert.Equal([$"m-{i}"], await MessageIdsAsync(host, $"p-{i}"))));
        }
    }

    private static async Task<ILookup<string, string>> FillAsync(QueryHost host, Random random)
    {
        var all = new List<(string Id, string MessageId)>();
        for (var file = 0; file < Files; file++)
        {
            var ids = Enumerable.Range(0, RowsPerFile).Select(_ => Id(random.Next(700))).ToList();
            all.AddRange(ids.Select((id, i) => (id, $"m-{(file * RowsPerFile) + i}")));
            await RealFiles.AddAsync(host, [.. ids.Select(Payload)], file * RowsPerFile, RandomArchive.Start + (file * RandomArchive.Hour), rowsPerGroup: 50);
        }

        return all.ToLookup(e => e.Id, e => e.MessageId);
    }

    private static string Id(int i) => $"id-{i:D5}-ü";

    private static byte[] Payload(string id) => Encoding.UTF8.GetBytes($$"""{"transaction_id":"{{id}}","amount":12.5}""");

    /// <returns>Whether there are any.</returns>
    private static async Task<bool> AssertFoundAsync(QueryHost host, ILookup<string, string> events, string id)
    {
        if (!events.Contains(id))
        {
            await host.GetAsync("/v1/transactions/" + Uri.EscapeDataString(id), HttpStatusCode.NotFound);
            return false;
        }

        Assert.Equal(events[id], await MessageIdsAsync(host, id));
        return true;
    }

    private static async Task<List<string>> MessageIdsAsync(QueryHost host, string id) =>
        [.. (await host.GetAsync("/v1/transactions/" + Uri.EscapeDataString(id))).GetProperty("events").EnumerateArray().Select(EventsApiTests.MessageId)];

    private static async Task<string> TrailAsync(QueryHost host, string id)
    {
        using var response = await host.Client.GetAsync("/v1/transactions/" + Uri.EscapeDataString(id));
        return response.StatusCode == HttpStatusCode.NotFound ? "[]" : JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("events").GetRawText();
    }

    private static async Task<string> ScanAllAsync(QueryHost host, string id)
    {
        var query = new ArchiveQuery { Kind = "lookup", Axis = TimeAxis.Arrival };
        query.Where("transaction_id = $id", "id", id);
        await using var scan = await host.App.Services.GetRequiredService<ArchiveReader>().OpenAsync(query, default);
        using var output = new MemoryStream();
        await using (var writer = new Utf8JsonWriter(output, EventJson.WriterOptions))
        {
            writer.WriteStartArray();
            while (await scan.ReadAsync(row =>
            {
                EventJson.Write(writer, row);
                return true;
            }))
            {
            }

            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(output.ToArray());
    }
}
