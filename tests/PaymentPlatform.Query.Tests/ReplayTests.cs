using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.ReplayHarness;

namespace PaymentPlatform.Query.Tests;

/// <summary>What a replay publishes.</summary>
public sealed class ReplayTests(PlatformFixture platform)
{
    [Fact]
    public async Task Run_Range_PublishesEachEventOnceAsItIsArchived()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Streaming:Partitions"] = "3" });
        var files = RandomArchive.Files(new Random(1), files: 12, rows: 600);
        await ArchiveAsync(host, files);
        var expected = Expected(files);

        var replay = await AskAsync(host);
        Assert.Equal(7200, Number(replay, "events_total"));
        var done = await UntilAsync(host, replay, "done");

        Assert.Equal((expected.Count, expected.Count), (Number(done, "events_done"), Number(done, "events_total")));
        Assert.True(done.GetProperty("events_per_second").GetDouble() > 0);
        Assert.NotNull(Text(done, "ended_at"));
        var delivered = await StreamContents.ReadAsync(host, Target);
        AssertDelivered(expected, delivered);
        var originals = expected.ToDictionary(e => e.MessageId);
        Assert.All(delivered, m =>
        {
            var original = originals[m.MessageId];
            Assert.Equal((Key(original), Encoding.UTF8.GetString(original.RawPayload), "replay", Text(replay, "id")), (m.PartitionKey, m.Body, m.Origin, m.OriginId));
        });
        Assert.Equal([0, 1, 2], delivered.Select(m => m.Partition).Distinct().Order());
    }

    [Fact]
    public async Task Target_LookedIntoAndDropped_AsTheDocumentSays()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var files = RandomArchive.Files(new Random(3), files: 1, rows: 20);
        await ArchiveAsync(host, files);
        await UntilAsync(host, await AskAsync(host), "done");
        var document = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "operations.md"));
        var recipe = document[document.IndexOf("-- how much is in it", StringComparison.Ordinal)..];
        await host.Archive.ExecuteAsync(recipe[..recipe.IndexOf("```", StringComparison.Ordinal)].Replace("payments-audit", Target));

        Assert.Equal(0, await host.ScalarAsync<long>($"SELECT count(*) FROM stream_logs WHERE stream = '{Target}'"));
        Assert.Equal(0, await host.ScalarAsync<long>("SELECT count(*) FROM stream_batches b WHERE NOT EXISTS (SELECT FROM stream_logs l WHERE l.log_id = b.log_id)"));
        // It is made anew.
        await UntilAsync(host, await AskAsync(host), "done");
        AssertDelivered(Expected(files), await StreamContents.ReadAsync(host, Target));
    }

    [Theory]
    [InlineData("""{"merchant_id": "Müller & Söhne"}""")]
    [InlineData("""{"customer_id": "c-1", "payment_status": "completed"}""")]
    [InlineData("""{"transaction_id": "t-7"}""")]
    [InlineData("""{"payment_method": "bank_transfer", "currency": "JPY", "min_amount": 12.5, "max_amount": 80}""")]
    [InlineData("""{"is_valid": true}""")]
    [InlineData("""{"is_valid": false}""")]
    [InlineData("""{"origin": "replay"}""")]
    [InlineData("""{"origin": "resubmission"}""")]
    [InlineData("""{"merchant_id": "nobody"}""")]
    public async Task Run_Filter_PublishesWhatItSays(string filter)
    {
        await using var host = await QueryHost.StartAsync(platform);
        var files = RandomArchive.Files(new Random(2), files: 4, rows: 500);
        await ArchiveAsync(host, files);
        var wanted = JsonElement.Parse(filter).EnumerateObject().ToDictionary(m => m.Name, m => m.Value.ToString());

        var done = await UntilAsync(host, await AskAsync(host, $"\"filter\": {filter}"), "done");

        var expected = files.SelectMany(f => f).Where(e => Matches(e, wanted)).OrderBy(e => e.EnqueuedAt).ThenBy(e => e.Partition).ThenBy(e => e.Offset).ToList();
        Assert.Equal(wanted.ContainsValue("nobody"), expected.Count == 0);
        AssertDelivered(expected, await StreamContents.ReadAsync(host, Target));
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(filter), done.GetProperty("filter")));
    }

    /// <summary>What is refused today was taken once, and matched nothing.</summary>
    [Fact]
    public async Task Run_StoredFilterNotUnderstoodAnyMore_FailsAndPublishesNothing()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await ArchiveAsync(host, RandomArchive.Files(new Random(13), files: 1, rows: 50));
        foreach (var (member, filter) in ((string, string)[])[
            ("currency", """{"currency": "eur"}"""), ("payment_status", """{"payment_status": "SUCCEEDED"}"""), ("origin", """{"origin": "LIVE"}"""),
            ("min_amount", """{"min_amount": 5, "max_amount": 1}"""), ("merchant", """{"merchant": "M-1"}"""), ("merchant_id", """{"merchant_id": ["M-1"]}""")])
        {
            var failed = await UntilAsync(host, await StoreAsync(host, filter), "failed");
            Assert.StartsWith($"Its filter's member '{member}' is no longer understood: ", Text(failed, "error"));
            Assert.EndsWith("Make a new replay. What was published stays.", Text(failed, "error"));
        }

        Assert.Empty(await StreamContents.ReadAsync(host, Target));
    }

    [Fact]
    public async Task Run_ArchivedLater_IsNotItsBusiness()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var host = await QueryHost.StartAsync(platform, services: services => services.AddSingleton<TimeProvider>(clock));
        var files = RandomArchive.Files(new Random(11), files: 2, rows: 200);
        await ArchiveAsync(host, files);
        var replay = await AskAsync(host, "\"allow_live\": true", target: "payments");
        // Its own events among them: the archive has the same times and partitions, at later offsets.
        await ArchiveAsync(host, [.. files.Select(f => f.ConvertAll(e => e with { Offset = e.Offset + 1_000_000, MessageId = $"later-{e.MessageId}" }))]);

        await AdvanceUntilAsync(clock, async () => Text(await host.GetAsync($"/v1/replays/{Text(replay, "id")}"), "state") == "done");

        AssertDelivered(Expected(files), await StreamContents.ReadAsync(host, "payments"));
    }

    [Fact]
    public async Task Run_PartitionThatWasBehind_LeavesOutWhatItArchivedLater()
    {
        await using var host = await QueryHost.StartAsync(platform);
        // It begins with what arrived before the other partition's event, and is archived after the call.
        List<TestEvent> early = [.. Enumerable.Range(0, 305).Select(i => At(partition: 1, offset: i, arrival: i))];
        List<List<TestEvent>> files = [[At(partition: 0, offset: 0, arrival: 1000)], early[..5]];
        await ArchiveAsync(host, files);
        await host.Archive.AddFileAsync(early[5..]);

        // A page is 100 events.
        await UntilAsync(host, await AskAsync(host, "\"rate\": 3"), "done");

        AssertDelivered(Expected(files), await StreamContents.ReadAsync(host, Target));
    }

    [Fact]
    public async Task Run_NothingArchived_IsDone()
    {
        await using var host = await QueryHost.StartAsync(platform);

        var done = await UntilAsync(host, await AskAsync(host), "done");

        Assert.Equal((0L, 0L), (Number(done, "events_done"), Number(done, "events_total")));
    }

    private static bool Matches(TestEvent e, Dictionary<string, string> filter)
    {
        return (e.Time is not null || filter.GetValueOrDefault("is_valid") == "False")
            && Is("merchant_id", e.MerchantId) && Is("customer_id", e.CustomerId) && Is("transaction_id", e.TransactionId)
            && Is("payment_status", e.PaymentStatus) && Is("payment_method", e.PaymentMethod) && Is("currency", e.Currency) && Is("is_valid", e.IsValid ? "True" : "False")
            && (filter.ContainsKey("origin") ? Is("origin", e.Origin) : e.Origin != "replay")
            && (!filter.TryGetValue("min_amount", out var min) || Amount(e) >= Exact(min)) && (!filter.TryGetValue("max_amount", out var max) || Amount(e) <= Exact(max));

        bool Is(string name, string? value) => !filter.TryGetValue(name, out var wanted) || wanted == value;
    }

    private static decimal? Amount(TestEvent e) => e.Amount is null ? null : Exact(e.Amount);

    private static decimal Exact(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);
}
