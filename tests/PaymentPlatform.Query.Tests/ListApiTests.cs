using System.Net;
using System.Text.Json;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class ListApiTests(PlatformFixture platform)
{
    [Fact]
    public async Task GetFailedItems_FiltersAndPages_LatestFirst()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillFailedItemsAsync(host, 50);

        var all = await host.GetAllAsync("/v1/failed-items");
        Assert.Equal(Enumerable.Range(1, 50).Reverse(), all.Select(i => i.GetProperty("id").GetInt32()));
        Assert.Equal(all.Select(i => i.GetRawText()), (await host.GetAllAsync("/v1/failed-items?limit=7")).Select(i => i.GetRawText()));
        Assert.All(await host.GetAllAsync("/v1/failed-items?status=resolved&limit=3"), i => Assert.Equal("resolved", i.GetProperty("status").GetString()));
        Assert.Equal(all.Count(i => i.GetProperty("status").GetString() == "resolved"), (await host.GetAllAsync("/v1/failed-items?status=resolved&limit=3")).Count);
        Assert.Equal(all.Count(i => i.GetProperty("error_type").GetString() == "status"), (await host.GetAllAsync("/v1/failed-items?error_type=status")).Count);
        // failed_at is 2026-01-01 plus the offset in minutes.
        Assert.Equal(Enumerable.Range(10, 5).Reverse(), (await host.GetAllAsync("/v1/failed-items?from=2026-01-01T00:10:00Z&to=2026-01-01T00:15:00Z")).Select(i => i.GetProperty("stream_offset").GetInt32()));
        Assert.Equal("2026-01-01T00:49:00.000000Z", all[0].GetProperty("failed_at").GetString());
        Assert.False(all[0].TryGetProperty("raw_payload", out _));
    }

    [Fact]
    public async Task GetFailedItem_ById_HasExactBytes()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await FillFailedItemsAsync(host, 2);
        await host.Archive.ExecuteAsync("UPDATE failed_items SET raw_payload = '\\xff00fe' WHERE id = 2");
        var text = await host.GetAsync("/v1/failed-items/1");
        Assert.Equal("{\"a\":\"<é>\n\"", text.GetProperty("raw_payload").GetString());
        Assert.Equal("amount", text.GetProperty("errors")[0].GetProperty("field").GetString());
        Assert.False(text.TryGetProperty("raw_payload_base64", out _));
        var binary = await host.GetAsync("/v1/failed-items/2");
        Assert.Equal([0xff, 0x00, 0xfe], binary.GetProperty("raw_payload_base64").GetBytesFromBase64());
        Assert.Equal(3, binary.GetProperty("payload_bytes").GetInt32());
        foreach (var id in (string[])["3", "0", "-1", "abc", "99999999999999999999", "1%20OR%201=1"])
            await host.GetAsync("/v1/failed-items/" + id, HttpStatusCode.NotFound);
        foreach (var (query, name) in ((string, string)[])[("status=open", "status"), ("error_type=nope", "error_type"), ("error_type=%27%20OR%201%3D1", "error_type"), ("from=2026-01-02&to=2026-01-01", "from"), ("cursor=x", "cursor"), ("limit=1001", "limit"), ("x=1", "x")])
            Assert.Equal([name], (await host.GetAsync("/v1/failed-items?" + query, HttpStatusCode.BadRequest)).GetProperty("errors").EnumerateObject().Select(e => e.Name));
    }

    [Fact]
    public async Task GetArchiveFiles_RangeAndPages_LatestFirst()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var names = new List<string>();
        for (var i = 0; i < 7; i++)
            names.Add(await host.Archive.AddFileAsync(EventsApiTests.Event(i * 3600, "1")));
        var untimed = await host.Archive.AddFileAsync(new TestEvent { Offset = 1_000_000, EnqueuedAt = RandomArchive.Start + (2 * RandomArchive.Hour), IsValid = false });
        await host.Archive.ExecuteAsync("INSERT INTO raw_event_ranges SELECT file_id, 'payments', 'log-1', 0, row_number() OVER (ORDER BY file_id) * 10, row_number() OVER (ORDER BY file_id) * 10 + 1 FROM raw_event_files");
        await host.Archive.ExecuteAsync("INSERT INTO raw_event_files (file_id, blob_name, state, owner) VALUES ('00000000-0000-7000-8000-000000000000', 'pending', 'pending', 'test')");

        var all = await host.GetAllAsync("/v1/archive/files");
        Assert.Equal(names.Append(untimed).Reverse(), all.Select(FileName));
        Assert.Equal(all.Select(FileName), (await host.GetAllAsync("/v1/archive/files?limit=3")).Select(FileName));
        Assert.Equal([untimed, names[3], names[2]], (await host.GetAllAsync("/v1/archive/files?from=2026-01-01T02:00:00Z&to=2026-01-01T03:00:00.000001Z")).Select(FileName));
        var first = all[^1];
        Assert.Equal(1, first.GetProperty("row_count").GetInt32());
        Assert.Equal(64, first.GetProperty("sha256").GetString()!.Length);
        Assert.Equal("hot", first.GetProperty("tier").GetString());
        Assert.Equal("2026-01-01T00:00:00.000000Z", first.GetProperty("min_transaction_timestamp").GetString());
        Assert.Equal(JsonValueKind.Null, all[0].GetProperty("min_transaction_timestamp").ValueKind);
        var range = Assert.Single(first.GetProperty("ranges").EnumerateArray());
        Assert.Equal((10, 11), (range.GetProperty("first_offset").GetInt32(), range.GetProperty("next_offset").GetInt32()));
        Assert.Equal(["cursor"], (await host.GetAsync("/v1/archive/files?cursor=x", HttpStatusCode.BadRequest)).GetProperty("errors").EnumerateObject().Select(e => e.Name));
    }

    [Fact]
    public async Task GetArchiveFiles_MergedAndAddedBetweenPages_AreThoseOfTheFirstPage()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var events = Enumerable.Range(0, 5).Select(i => EventsApiTests.Event(i, "1")).ToList();
        var names = new List<string>();
        foreach (var e in events)
            names.Add(await host.Archive.AddFileAsync(e));

        var listed = new List<string>();
        string? cursor = null;
        for (var i = 0; i == 0 || cursor is not null; i++)
        {
            var page = await host.GetAsync($"/v1/archive/files?limit=2&from=2026-01-01T00:00:00Z{(cursor is null ? "" : $"&cursor={cursor}")}");
            listed.AddRange(page.GetProperty("items").EnumerateArray().Select(FileName));
            cursor = page.GetProperty("next_cursor").GetString();
            // One that is still to come.
            await host.Archive.ReplaceAsync(names[i], [events[i]]);
            await host.Archive.AddFileAsync(EventsApiTests.Event(10 + i, "1"));
        }

        Assert.Equal(Enumerable.Reverse(names), listed);
        Assert.Empty((await host.GetAllAsync("/v1/archive/files?limit=2")).Select(FileName).Intersect(names.Take(3)));
    }

    [Theory]
    [InlineData("UPDATE raw_event_files SET state = 'deleting' WHERE blob_name = $1")]
    // As when it is written again: the new row's id is beyond the cursor.
    [InlineData(
        """
        WITH lost AS (UPDATE raw_event_files SET state = 'lost' WHERE blob_name = $1 RETURNING *)
        INSERT INTO raw_event_files (file_id, blob_name, state, owner, archived_at, row_count, byte_size, sha256, live_generation)
        SELECT 'ffffffff-0000-7000-8000-000000000000', 'again', 'live', 'test', now(), row_count, byte_size, sha256, live_generation FROM lost
        """)]
    public async Task GetArchiveFiles_CursorOverFilesThatWent_IsGone(string sql)
    {
        await using var host = await QueryHost.StartAsync(platform);
        var first = await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
        await host.Archive.AddFileAsync(EventsApiTests.Event(1, "1"));
        var cursor = (await host.GetAsync("/v1/archive/files?limit=1")).GetProperty("next_cursor").GetString();
        Assert.Equal(first, FileName(Assert.Single((await host.GetAllAsync($"/v1/archive/files?limit=1&cursor={cursor}")))));
        await host.Archive.ExecuteAsync(sql, new NpgsqlParameter { Value = first });
        Assert.Equal("Cursor too old", (await host.GetAsync($"/v1/archive/files?limit=1&cursor={cursor}", HttpStatusCode.Gone)).GetProperty("title").GetString());
        Assert.NotEmpty(await host.GetAllAsync("/v1/archive/files?limit=1"));
    }

    private static string FileName(JsonElement item) => item.GetProperty("blob_name").GetString()!;

    [Fact]
    public async Task GetPipeline_GroupsAndPartitions_HaveLagAndOwner()
    {
        await using var host = await QueryHost.StartAsync(platform);
        Assert.Empty(await host.GetAllAsync("/v1/pipeline"));
        await FillPipelineAsync(host);
        var items = await host.GetAllAsync("/v1/pipeline");
        Assert.Equal(["archiver 0 30 100 70 worker-1", "archiver 1 0 50 50 -", "metrics 0 0 100 100 -", "metrics 1 0 50 50 -"], items.Select(i => string.Join(' ',
            i.GetProperty("consumer_group").GetString(), i.GetProperty("partition_id").GetInt32(), i.GetProperty("position").GetInt64(), i.GetProperty("end").GetInt64(), i.GetProperty("lag").GetInt64(), i.GetProperty("owner").GetString() ?? "-")));
    }

    internal static async Task FillPipelineAsync(QueryHost host)
    {
        await host.Archive.ExecuteAsync("INSERT INTO stream_logs (stream, log_id, partition_count) VALUES ('payments', 'log-1', 2)");
        await host.Archive.ExecuteAsync("INSERT INTO stream_partitions (log_id, partition_id, next_offset) VALUES ('log-1', 0, 100), ('log-1', 1, 50)");
        await host.Archive.ExecuteAsync("INSERT INTO stream_groups (consumer_group, stream) VALUES ('archiver', 'payments'), ('metrics', 'payments')");
        await host.Archive.ExecuteAsync("INSERT INTO stream_checkpoints (consumer_group, stream, log_id, partition_id, next_offset) VALUES ('archiver', 'payments', 'log-1', 0, 30)");
        await host.Archive.ExecuteAsync("INSERT INTO stream_leases (consumer_group, stream, partition_id, owner, expires_at) VALUES ('archiver', 'payments', 0, 'worker-1', now() + interval '1 hour')");
    }

    internal static Task FillFailedItemsAsync(QueryHost host, int count) => host.Archive.ExecuteAsync(
        $$$"""
        INSERT INTO failed_items (stream, log_id, partition_id, stream_offset, message_id, transaction_id, error_type, error_message, errors, raw_payload, enqueued_at, failed_at, status)
        SELECT 'payments', 'log-1', 0, i, 'm-' || i, CASE WHEN i % 2 = 0 THEN '<img src=x onerror=alert(1)>' END, (ARRAY['currency', 'status', 'json'])[1 + i % 3], 'amount must be above 0 <script>document.title = "owned"</script>',
          '[{"field": "amount", "message": "must be above 0 <b>"}]', convert_to('{"a":"<é>' || chr(10) || '"', 'UTF8'), TIMESTAMPTZ '2026-01-01 00:00:00+00', TIMESTAMPTZ '2026-01-01 00:00:00+00' + i * interval '1 minute',
          CASE WHEN i % 5 = 0 THEN 'resolved' ELSE 'pending' END
        FROM generate_series(0, {{{count - 1}}}) i
        """);
}
