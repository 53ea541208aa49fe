using System.Net;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class TransactionsApiTests(PlatformFixture platform)
{
    [Fact]
    public async Task GetTransaction_EventsInManyFiles_AllInOrder()
    {
        await using var host = await QueryHost.StartAsync(platform, new() { ["Query:SliceRows"] = "200" });
        var files = RandomArchive.Files(new(5), 8, 100);
        foreach (var file in files)
            await host.Archive.AddFileAsync(file);
        foreach (var trail in files.SelectMany(f => f).Where(e => e.TransactionId is not null).GroupBy(e => e.TransactionId!).OrderByDescending(g => g.Count()).Take(12))
        {
            var answer = await host.GetAsync("/v1/transactions/" + trail.Key);
            Assert.Equal(trail.Key, answer.GetProperty("transaction_id").GetString());
            // Replays, invalid ones and late ones are part of what happened to a payment.
            Assert.Equal(
                trail.OrderBy(e => e.EnqueuedAt).ThenBy(e => e.Partition).ThenBy(e => e.Offset).Select(e => e.MessageId),
                answer.GetProperty("events").EnumerateArray().Select(EventsApiTests.MessageId));
        }
    }

    [Fact]
    public async Task GetTransaction_OddId_IsFound()
    {
        await using var host = await QueryHost.StartAsync(platform);
        string[] ids = ["a/b", "a%2Fb", "größe 1?x=y&z#f", "+ +", "a\\b", "🙂"];
        await host.Archive.AddFileAsync([.. ids.Select((id, i) => EventsApiTests.Event(i, "1") with { TransactionId = id })]);
        foreach (var id in ids)
        {
            var answer = await host.GetAsync("/v1/transactions/" + Uri.EscapeDataString(id));
            Assert.Equal(id, Assert.Single(answer.GetProperty("events").EnumerateArray()).GetProperty("transaction_id").GetString());
        }
    }

    [Fact]
    public async Task GetTransaction_Unknown_404()
    {
        await using var host = await QueryHost.StartAsync(platform);
        Assert.Equal(404, (await host.GetAsync("/v1/transactions/nope", HttpStatusCode.NotFound)).GetProperty("status").GetInt32());
        await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
        await host.GetAsync("/v1/transactions/nope", HttpStatusCode.NotFound);
        await host.GetAsync("/v1/transactions/t-0?x=1", HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/audit")]
    public async Task GetTransaction_FilesWereDeletedAtTheEndOfRetention_404SaysSo(string path)
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
        Assert.DoesNotContain("retention", await DetailAsync(), StringComparison.Ordinal);
        await host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'deleting', max_enqueued_at = '2026-01-02T03:04:05Z'");
        Assert.Contains("1 archive file with arrivals up to 2026-01-02T03:04:05.000000Z was deleted at the end of retention", await DetailAsync(), StringComparison.Ordinal);

        async Task<string> DetailAsync() => (await host.GetAsync("/v1/transactions/nope" + path, HttpStatusCode.NotFound)).GetProperty("detail").GetString()!;
    }

    [Fact]
    public async Task GetTransaction_FileNotLive_IsNotThere()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
        await host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'superseded'");
        await host.GetAsync("/v1/transactions/t-0", HttpStatusCode.NotFound);
    }
}
