using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Azure.Storage.Blobs.Models;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class LifecycleApiTests(PlatformFixture platform)
{
    private static readonly long Time = Timestamps.ToMicros(new(2026, 1, 5, 10, 0, 0, DateTimeKind.Utc));

    [Fact]
    public async Task Events_FileInTheArchiveTier_Is409UntilItIsRehydrated()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var name = await host.Archive.AddFileAsync(new TestEvent { TransactionId = "tx-1", Time = Time, EnqueuedAt = Time, Offset = 1 });
        var blob = host.Connections.RawEvents.GetBlobClient(name);
        await blob.SetAccessTierAsync(AccessTier.Archive);
        foreach (var path in (string[])["/v1/events?from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z", "/v1/transactions/tx-1"])
        {
            var problem = await host.GetAsync(path, HttpStatusCode.Conflict);
            Assert.Contains(name, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.Contains("/v1/archive/rehydrations", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        var asked = await PostAsync(host, "/v1/archive/rehydrations", new { from = "2026-01-05T10:00:00Z", to = "2026-01-05T10:00:01Z" }, HttpStatusCode.Accepted);
        Assert.Equal((name, "requested", "archive"), Described(Assert.Single(asked.GetProperty("items").EnumerateArray())));
        Assert.Equal((name, "requested", "archive"), Described(Assert.Single((await host.GetAsync("/v1/archive/rehydrations")).GetProperty("items").EnumerateArray())));
        Assert.Equal("archive", Assert.Single((await host.GetAsync("/v1/archive/files")).GetProperty("items").EnumerateArray()).GetProperty("tier").GetString());

        // As the archiver does.
        await blob.SetAccessTierAsync(AccessTier.Hot);
        Assert.Equal((name, "readable", "hot"), Described(Assert.Single((await host.GetAsync("/v1/archive/rehydrations")).GetProperty("items").EnumerateArray())));
        Assert.Equal(1, (await host.GetAsync("/v1/transactions/tx-1")).GetProperty("events").GetArrayLength());
    }

    [Fact]
    public async Task Rehydrate_ByName_TakesLiveFilesOnly()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var (first, second) = (await host.Archive.AddFileAsync(new TestEvent { TransactionId = "tx-1", Time = Time, EnqueuedAt = Time, Offset = 1 }), await host.Archive.AddFileAsync(new TestEvent { TransactionId = "tx-2", Time = Time, EnqueuedAt = Time, Offset = 1 }));
        var asked = await PostAsync(host, "/v1/archive/rehydrations", new { blob_names = new[] { first } }, HttpStatusCode.Accepted);
        Assert.Equal((first, "readable", "hot"), Described(Assert.Single(asked.GetProperty("items").EnumerateArray())));
        var refused = await PostAsync(host, "/v1/archive/rehydrations", new { blob_names = new[] { second, "raw_events/none" } }, HttpStatusCode.BadRequest);
        Assert.Contains("raw_events/none", refused.GetProperty("errors").GetProperty("blob_names")[0].GetString(), StringComparison.Ordinal);
        await host.Connections.RawEvents.DeleteBlobAsync(second);
        asked = await PostAsync(host, "/v1/archive/rehydrations", new { from = "2026-01-05T10:00:00Z", to = "2026-01-05T10:00:01Z" }, HttpStatusCode.Accepted);
        Assert.Equal(["missing", "readable"], asked.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("state").GetString()).Order());
    }

    [Fact]
    public async Task Rehydrations_Many_ArePagedLatestFirstAndLeaveAfterAMonth()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var names = new List<string>();
        for (var i = 0; i < 7; i++)
            names.Add(await host.Archive.AddFileAsync(new TestEvent { TransactionId = "tx-1", Time = Time, EnqueuedAt = Time, Offset = i }));
        // Some at one moment.
        for (var i = 0; i < 7; i++)
            await host.Archive.ExecuteAsync("UPDATE raw_event_files SET rehydrated_at = date_trunc('day', now()) - $2 WHERE blob_name = $1", new() { Value = names[i] }, new() { Value = TimeSpan.FromDays(i == 6 ? 31 : i / 3) });

        foreach (var limit in (int[])[1, 2, 4, 6])
        {
            var items = await host.GetAllAsync($"/v1/archive/rehydrations?limit={limit}");
            Assert.Equal([.. names[..3].Order(), .. names[3..6].Order()], items.Select(i => i.GetProperty("blob_name").GetString()!).Chunk(3).SelectMany(c => c.Order()));
            Assert.All(items, i => Assert.Equal("readable", i.GetProperty("state").GetString()));
        }

        foreach (var query in (string[])["limit=0", "limit=1001", "cursor=x", "cursor=1-2"])
            await host.GetAsync("/v1/archive/rehydrations?" + query, HttpStatusCode.BadRequest);
    }

    /// <summary>Two calls over the same files, each in another order.</summary>
    [Fact]
    public async Task Rehydrate_SameFilesAtOnce_NobodyWaitsForEver()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Storage:MaxRetries"] = "0" });
        var names = new List<string>();
        for (var i = 0; i < 30; i++)
            names.Add(await host.Archive.AddFileAsync(new TestEvent { TransactionId = "tx-1", Time = Time, EnqueuedAt = Time, Offset = i }));
        // Whoever has one row leaves the others time to take another.
        await host.Archive.ExecuteAsync("CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$; CREATE TRIGGER slowly BEFORE UPDATE ON raw_event_files FOR EACH ROW EXECUTE FUNCTION slowly()");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => PostAsync(host, "/v1/archive/rehydrations", new { blob_names = (i % 2 == 0 ? names : names.AsEnumerable().Reverse()).ToArray() }, HttpStatusCode.Accepted)));
    }

    [Fact]
    public async Task Rehydrate_WrongBodies_SayWhatIsWrong()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (body, member) in new (object, string)[]
        {
            (new { }, "from"), (new { from = "2026-01-05T10:00:00Z" }, "to"), (new { from = "2026-01-06T10:00:00Z", to = "2026-01-05T10:00:00Z" }, "from"), (new { from = "x", to = "2026-01-05T10:00:00Z" }, "from"),
            (new { blob_names = Array.Empty<string>() }, "blob_names"), (new { blob_names = new[] { 1 } }, "blob_names"), (new { blob_names = new[] { "a" }, from = "2026-01-05T10:00:00Z" }, "blob_names"), (new { all = true }, "all"),
        })
        {
            Assert.True((await PostAsync(host, "/v1/archive/rehydrations", body, HttpStatusCode.BadRequest)).GetProperty("errors").TryGetProperty(member, out _), JsonSerializer.Serialize(body));
        }
    }

    [Fact]
    public async Task Holds_PlacedAndReleased_KeepWhoAndWhy()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var payment = await PostAsync(host, "/v1/archive/holds", new { transaction_id = "tx-1", reason = "case 4711" }, HttpStatusCode.Created);
        var range = await PostAsync(host, "/v1/archive/holds", new { from = "2026-01-05T10:00:00Z", to = "2026-01-06T10:00:00Z", reason = "audit" }, HttpStatusCode.Created);
        Assert.Equal(("tx-1", "case 4711"), (payment.GetProperty("transaction_id").GetString(), payment.GetProperty("reason").GetString()));
        Assert.Equal(("2026-01-05T10:00:00.000000Z", "2026-01-06T10:00:00.000000Z"), (range.GetProperty("from").GetString(), range.GetProperty("to").GetString()));
        Assert.NotEmpty(payment.GetProperty("placed_by").GetString()!);
        var id = payment.GetProperty("id").GetInt64();
        Assert.Equal([id + 1, id], (await host.GetAllAsync("/v1/archive/holds?limit=1")).Select(h => h.GetProperty("id").GetInt64()));

        var released = await DeleteAsync(host, id, HttpStatusCode.OK);
        Assert.NotEmpty(released.GetProperty("released_by").GetString()!);
        // Again changes nothing.
        Assert.Equal(released.ToString(), (await DeleteAsync(host, id, HttpStatusCode.OK)).ToString());
        await DeleteAsync(host, 4711, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Holds_Placed_SaysHowManyFilesItCoversNow()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(Event("tx-1", 0), Event("tx-2", 1));
        await host.Archive.AddFileAsync(Event("tx-1", 2));
        var replaced = await host.Archive.AddFileAsync(Event("tx-1", 3));
        await host.Archive.ReplaceAsync(replaced, [Event("tx-1", 3)]);
        foreach (var (id, files) in ((string, int)[])[("tx-1", 3), ("tx-2", 1), ("tx-3", 0)])
            Assert.Equal(files, (await PostAsync(host, "/v1/archive/holds", new { transaction_id = id, reason = "r" }, HttpStatusCode.Created)).GetProperty("live_files").GetInt32());
        foreach (var (from, to, files) in ((string, string, int)[])[("2026-01-05T10:00:00Z", "2026-01-05T10:00:01Z", 1), ("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", 3), ("2025-01-05T00:00:00Z", "2025-01-06T00:00:00Z", 0)])
            Assert.Equal(files, (await PostAsync(host, "/v1/archive/holds", new { from, to, reason = "r" }, HttpStatusCode.Created)).GetProperty("live_files").GetInt32());

        // What can't be read is held all the same; only the number is not known.
        await host.Archive.ExecuteAsync("UPDATE raw_event_files SET tier = 'archive'");
        await host.Archive.AddFileAsync(Event("tx-9", 9));
        await host.Connections.RawEvents.DeleteBlobAsync((await host.GetAllAsync("/v1/archive/files"))[0].GetProperty("blob_name").GetString()!);
        var unknown = await PostAsync(host, "/v1/archive/holds", new { transaction_id = "tx-9", reason = "r" }, HttpStatusCode.Created);
        Assert.Equal(JsonValueKind.Null, unknown.GetProperty("live_files").ValueKind);
        Assert.False((await host.GetAllAsync("/v1/archive/holds"))[0].TryGetProperty("live_files", out _));

        TestEvent Event(string id, int second) => new() { TransactionId = id, Time = Time + (second * 1_000_000), EnqueuedAt = Time + (second * 1_000_000), Offset = second };
    }

    [Fact]
    public async Task Holds_AnswerOfTheInsertLost_PlacesOne()
    {
        using var proxy = new CuttingProxy(new(await platform.CreateDatabaseAsync()), "INSERT INTO legal_holds", n => n == 1, forward: true);
        await using var host = await QueryHost.StartAsync(platform, database: proxy.ConnectionString);
        var placed = await PostAsync(host, "/v1/archive/holds", new { transaction_id = "tx-1", reason = "case 4711" }, HttpStatusCode.Created);
        Assert.Equal(1, proxy.Cuts);
        Assert.Equal(placed.GetProperty("id").GetInt64(), Assert.Single(await host.GetAllAsync("/v1/archive/holds")).GetProperty("id").GetInt64());
    }

    [Fact]
    public async Task Holds_WrongBodies_SayWhatIsWrong()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (body, member) in new (object, string)[]
        {
            (new { transaction_id = "tx-1" }, "reason"), (new { reason = "r" }, "from"), (new { reason = "r", from = "2026-01-05T10:00:00Z" }, "to"), (new { reason = "r", transaction_id = "t", to = "2026-01-05T10:00:00Z" }, "transaction_id"),
            (new { reason = "r", from = "2026-01-05T10:00:00Z", to = "2026-01-05T10:00:00Z" }, "from"), (new { reason = "r", transaction_id = "t", payment = "t" }, "payment"),
        })
        {
            Assert.True((await PostAsync(host, "/v1/archive/holds", body, HttpStatusCode.BadRequest)).GetProperty("errors").TryGetProperty(member, out _), JsonSerializer.Serialize(body));
        }

        Assert.Empty((await host.GetAsync("/v1/archive/holds")).GetProperty("items").EnumerateArray());
    }

    private static (string?, string?, string?) Described(JsonElement item) => (item.GetProperty("blob_name").GetString(), item.GetProperty("state").GetString(), item.GetProperty("tier").GetString());

    private static async Task<JsonElement> PostAsync(QueryHost host, string path, object body, HttpStatusCode expected)
    {
        using var answer = await host.Client.PostAsJsonAsync(path, body);
        return await ReadAsync(answer, expected);
    }

    private static async Task<JsonElement> DeleteAsync(QueryHost host, long id, HttpStatusCode expected)
    {
        using var answer = await host.Client.DeleteAsync($"/v1/archive/holds/{id}");
        return await ReadAsync(answer, expected);
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, HttpStatusCode expected)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }
}
