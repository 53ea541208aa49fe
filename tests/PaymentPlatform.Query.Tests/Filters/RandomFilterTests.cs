using System.Net;
using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;
using Microsoft.Extensions.Hosting;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests.Filters;

/// <summary>Whatever is asked for, the answer is what a look at every event finds.</summary>
public sealed class RandomFilterTests(PlatformFixture platform)
{
    private const int Filters = 1000;

    [Fact]
    public async Task GetEvents_ThousandRandomFilters_EqualBruteForce()
    {
        var archive = new FilteredArchive(20260101);
        var database = await platform.CreateDatabaseAsync();
        // Small slices, so that most queries cross several of them.
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:SliceRows"] = "1000", ["Query:ConcurrentExports"] = "4", ["Query:QueueTimeout"] = "00:02:00" }, database);
        var random = new Random(1);
        foreach (var file in archive.Files)
            await (random.Next(3) == 0 ? host.Archive.AddFileAsync(file) : RealFiles.AddAsync(host, file));
        await CompactAsync(host, database);

        var filters = Enumerable.Range(0, Filters).Select(i => (Number: i, Filter: new RandomFilter(random, archive))).ToList();
        await Parallel.ForEachAsync(filters, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (each, _) =>
        {
            var (number, filter) = each;
            var expected = filter.Expected.Select(Row.Of).ToList();
            AssertEqual(filter, expected, await PagesAsync(host, filter));
            switch (number % 10)
            {
                case 0:
                    AssertEqual(filter, expected, NdJson(await host.GetTextAsync(filter.Path, "application/x-ndjson")));
                    break;
                case 1:
                    AssertEqual(filter, expected, Csv(await host.GetTextAsync(filter.Path + "&csv_formulas=keep", "text/csv")));
                    break;
                case 2:
                    AssertEqual(filter, expected, await ParquetAsync(host, filter.Path, number));
                    break;
                case 3:
                    AssertEqual(filter, [.. expected.Take(filter.Limit)], NdJson(await host.GetTextAsync($"{filter.Path}&limit={filter.Limit}", "application/x-ndjson")));
                    break;
            }
        });

        Assert.InRange(filters.Count(f => f.Filter.Expected.Count > 0), Filters / 2, Filters - 50);
        Assert.True(filters.Count(f => f.Filter.Expected.Count > f.Filter.Limit) > Filters / 4, "Too few filters have several pages.");
    }

    /// <summary>Merges the files that the archiver's writer made; the others stay as they are.</summary>
    private async Task CompactAsync(QueryHost host, string database)
    {
        await using var archiver = await QueryHost.StartAsync(platform, new() { ["Archiver:CompactionInterval"] = "00:00:00.100" }, database, add: builder => builder.AddBlobArchiver());
        await Eventually.TrueAsync(
            async () => await host.ScalarAsync<long>("SELECT count(*) FROM (SELECT FROM raw_event_files f WHERE state = 'live' AND EXISTS (SELECT FROM raw_event_ranges r WHERE r.file_id = f.file_id) GROUP BY regexp_replace(blob_name, '[^/]*$', '') HAVING count(*) > 1)") == 0,
            "small files are merged");
        Assert.True(await host.ScalarAsync<long>("SELECT count(DISTINCT superseded_by) FROM raw_event_files") > 10);
    }

    private static void AssertEqual(RandomFilter filter, List<Row> expected, List<Row> actual)
    {
        if (expected.SequenceEqual(actual))
            return;
        var at = expected.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
        Assert.Fail($"{filter}: {actual.Count} came; at {at} {actual.ElementAtOrDefault(at)} and not {expected.ElementAtOrDefault(at)}.");
    }

    /// <summary>Every page but the last one is full, and no page follows the last event.</summary>
    private static async Task<List<Row>> PagesAsync(QueryHost host, RandomFilter filter)
    {
        var rows = new List<Row>();
        for (string? cursor = null; ;)
        {
            var page = await host.GetAsync($"{filter.Path}&limit={filter.Limit}{(cursor is null ? "" : $"&cursor={cursor}")}");
            var items = page.GetProperty("items");
            rows.AddRange(items.EnumerateArray().Select(Row.Of));
            cursor = page.GetProperty("next_cursor").GetString();
            Assert.True(cursor is null ? rows.Count == 0 || items.GetArrayLength() > 0 : items.GetArrayLength() == filter.Limit, $"{filter}: {items.GetArrayLength()} in a page.");
            if (cursor is null)
                return rows;
        }
    }

    private static List<Row> NdJson(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Row.Of(JsonDocument.Parse(line).RootElement))];

    private static List<Row> Csv(string text)
    {
        var lines = ExportTests.Parse(text);
        var at = lines[0].Index().ToDictionary(c => c.Item, c => c.Index);
        return [.. lines.Skip(1).Select(cells => new Row(
            $"{cells[at["stream_log_id"]]}/{cells[at["stream_partition"]]}/{cells[at["stream_offset"]]}",
            cells[at["raw_payload_base64"]] is { Length: > 0 } bytes ? bytes : Row.Base64(cells[at["raw_payload"]])))];
    }

    private static async Task<List<Row>> ParquetAsync(QueryHost host, string query, int number)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, query) { Headers = { { "Accept", "application/vnd.apache.parquet" } } };
        using var response = await host.Client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        if (response.StatusCode == HttpStatusCode.NoContent)
            return [];
        var path = Path.Combine(host.CacheDirectory, $"answer-{number}.parquet");
        await File.WriteAllBytesAsync(path, await response.Content.ReadAsByteArrayAsync());
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        return [.. connection.Query($"SELECT concat_ws('/', stream_log_id, stream_partition, stream_offset), base64(raw_payload) FROM read_parquet('{path}')").Select(row => new Row((string)row[0]!, (string)row[1]!))];
    }

    /// <summary>An event's position and its exact bytes.</summary>
    private sealed record Row(string Position, string Payload)
    {
        public static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

        public static Row Of(TestEvent e) => new($"{e.LogId}/{e.Partition}/{e.Offset}", e.RawPayloadBase64);

        public static Row Of(JsonElement item) => new(
            $"{item.GetProperty("stream_log_id").GetString()}/{item.GetProperty("stream_partition").GetInt32()}/{item.GetProperty("stream_offset").GetInt64()}",
            item.TryGetProperty("raw_payload", out var text) ? Base64(text.GetString()!) : item.GetProperty("raw_payload_base64").GetString()!);
    }
}
