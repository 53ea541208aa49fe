using System.Globalization;
using System.Net;
using System.Text.Json;
using Npgsql;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class EventsApiTests(PlatformFixture platform)
{
    // Small slices, so that every query crosses many of them.
    private static readonly Dictionary<string, string?> SmallSlices = new() { ["Query:SliceRows"] = "300" };

    [Fact]
    public async Task GetEvents_FilesAddedAndReplacedWhilePaging_ShowsTheSameEvents()
    {
        await using var host = await QueryHost.StartAsync(platform, SmallSlices);
        var random = new Random(7);
        var files = RandomArchive.Files(random, 4, 100);
        var blobs = new List<string>();
        foreach (var file in files)
            blobs.Add(await host.Archive.AddFileAsync(file));
        var original = RandomArchive.InOrder(files.SelectMany(f => f).Where(e => e.Time is not null && e.Origin != "replay")).Select(e => e.MessageId).ToList();
        var added = RandomArchive.Files(random, 6, 40, firstOffset: 1_000_000);

        var seen = new List<string>();
        string? cursor = null, first = null;
        var pages = 0;
        do
        {
            var page = await host.GetAsync($"/v1/events?limit=37{(cursor is null ? "" : "&cursor=" + cursor)}");
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(MessageId));
            cursor = page.GetProperty("next_cursor").GetString();
            first ??= cursor;
            if (pages < added.Count)
                await host.Archive.AddFileAsync(added[pages]);
            if (pages < files.Count)
                await host.Archive.ReplaceAsync(blobs[pages], files[pages]);
            pages++;
        }
        while (cursor is not null);

        Assert.Equal(original, seen);
        // The same page again, and a listing that begins now.
        Assert.Equal(seen.Skip(37).Take(37), (await host.GetAsync($"/v1/events?limit=37&cursor={first}")).GetProperty("items").EnumerateArray().Select(MessageId));
        var all = RandomArchive.InOrder(files.Concat(added).SelectMany(f => f).Where(e => e.Time is not null && e.Origin != "replay")).Select(e => e.MessageId);
        Assert.Equal(all, (await host.GetAsync("/v1/events?limit=1000")).GetProperty("items").EnumerateArray().Select(MessageId));
    }

    [Fact]
    public async Task GetEvents_CursorOverDeletedFiles_IsGone()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var events = RandomArchive.Files(new(8), 1, 50)[0];
        var blob = await host.Archive.AddFileAsync(events);
        var cursor = (await host.GetAsync("/v1/events?limit=10")).GetProperty("next_cursor").GetString();
        await host.Archive.ReplaceAsync(blob, events);
        await host.Archive.ExecuteAsync("UPDATE raw_event_files SET state = 'deleted' WHERE blob_name = $1", new NpgsqlParameter { Value = blob });

        var problem = await host.GetAsync($"/v1/events?cursor={cursor}", HttpStatusCode.Gone);
        Assert.Equal("Cursor too old", problem.GetProperty("title").GetString());
        Assert.NotEmpty((await host.GetAsync("/v1/events?limit=10")).GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task GetEvents_NoTransactionTime_OnlyWhenInvalidAreAskedFor()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(
            new TestEvent { Offset = 1, EnqueuedAt = RandomArchive.Start + 10, MessageId = "no-time", IsValid = false, Errors = "[]" },
            new TestEvent { Offset = 2, EnqueuedAt = RandomArchive.Start + 30, Time = RandomArchive.Start + 5, MessageId = "timed", IsValid = false, Errors = "[]" },
            new TestEvent { Offset = 3, EnqueuedAt = RandomArchive.Start + 40, Time = RandomArchive.Start + 6, MessageId = "valid" });
        // A file without any readable time has none in the manifest.
        await host.Archive.AddFileAsync(new TestEvent { Offset = 4, EnqueuedAt = RandomArchive.Start + 7, MessageId = "alone", IsValid = false, Errors = "[]" });

        Assert.Equal(["timed", "valid"], (await host.GetAllAsync("/v1/events")).Select(MessageId));
        Assert.Equal(["timed", "alone", "no-time"], (await host.GetAllAsync("/v1/events?is_valid=false")).Select(MessageId));
        Assert.Equal(["timed", "alone", "no-time"], (await host.GetAllAsync("/v1/events?is_valid=false&limit=1")).Select(MessageId));
        Assert.Equal(["alone"], (await host.GetAllAsync("/v1/events?is_valid=false&from=2026-01-01T00:00:00.000007Z&to=2026-01-01T00:00:00.000010Z")).Select(MessageId));
    }

    [Fact]
    public async Task GetEvents_EveryValue_IsExact()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var payload = """{"amount": 1.50, "note": "\u00e9 <b>&amp;</b> \\ \u0000"}"""u8.ToArray();
        await host.Archive.AddFileAsync(
            Event(0, "999999999999999.9999") with { Metadata = "{\"a\" : 1.10,\n \"b\":[true,null,\"\u2028x\"]}", Violations = """["AML_1"]""", RawPayload = payload, MerchantName = "\"Zoë\" <script>" },
            Event(1, "100.0000") with { RawPayload = [0xff, 0x00, 0x7b], TransactionId = null },
            Event(2, "0.0001") with { RawPayload = [], Metadata = "not json" },
            Event(3, "110.6") with { RawPayload = "a\r\nb\t\0"u8.ToArray() });
        var items = await host.GetAllAsync("/v1/events");

        Assert.Equal(["999999999999999.9999", "100", "0.0001", "110.6"], items.Select(i => i.GetProperty("amount").GetRawText()));
        Assert.Equal("{\"a\" : 1.10,  \"b\":[true,null,\"\u2028x\"]}".Replace("  \"b", "  \"b"), items[0].GetProperty("metadata").GetRawText());
        Assert.Equal("AML_1", items[0].GetProperty("compliance_violations")[0].GetString());
        Assert.Equal("\"Zoë\" <script>", items[0].GetProperty("merchant_name").GetString());
        Assert.Equal(System.Text.Encoding.UTF8.GetString(payload), items[0].GetProperty("raw_payload").GetString());
        Assert.Equal("2026-01-01T00:00:00.000000Z", items[0].GetProperty("transaction_timestamp").GetString());
        Assert.Equal("2026-01-01T00:00:01.000001Z", items[0].GetProperty("enqueued_at").GetString());
        Assert.Equal([0xff, 0x00, 0x7b], items[1].GetProperty("raw_payload_base64").GetBytesFromBase64());
        Assert.False(items[1].TryGetProperty("raw_payload", out _));
        Assert.Equal(JsonValueKind.Null, items[1].GetProperty("transaction_id").ValueKind);
        Assert.Equal("", items[2].GetProperty("raw_payload").GetString());
        Assert.Equal("not json", items[2].GetProperty("metadata").GetString());
        Assert.Equal("a\r\nb\t\0", items[3].GetProperty("raw_payload").GetString());
        Assert.StartsWith("raw_events/yyyy=", items[0].GetProperty("archive_file").GetString());

        // A line is a line, whatever line ends the metadata had.
        var lines = (await host.GetTextAsync("/v1/events", "application/x-ndjson")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length);
        Assert.Equal(items.Select(i => i.GetRawText()), lines);
    }

    [Fact]
    public async Task GetEvents_BadParameter_400NamesIt()
    {
        await using var host = await QueryHost.StartAsync(platform);
        foreach (var (query, name) in ((string, string)[])
        [
            ("from=yesterday", "from"),
            ("from=2026-01-02&to=2026-01-01", "from"),
            ("to=2026-13-01", "to"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=-1", "limit"),
            ("limit=1e2", "limit"),
            ("min_amount=abc", "min_amount"),
            ("min_amount=0.00001", "min_amount"),
            ("max_amount=1,5", "max_amount"),
            ("max_amount=99999999999999999999999", "max_amount"),
            ("is_valid=yes", "is_valid"),
            ("origin=elsewhere", "origin"),
            ("cursor=abc", "cursor"),
            ("cursor=!!", "cursor"),
            ("cursor=eyJ0Ijo5MjIzMzcyMDM2ODU0Nzc1ODA3LCJsIjoieCIsInAiOjAsIm8iOjB9", "cursor"),
            ("min_amount=2&max_amount=1", "min_amount"),
            ("payment_status=paid", "payment_status"),
            ("payment_status=Completed", "payment_status"),
            ("currency=", "currency"),
            ("currency=eur", "currency"),
            ("currency=EURO", "currency"),
            ("currency=EUR&currency=USD", "currency"),
            ("merchant_id=a%00b", "merchant_id"),
            ("merchnt_id=a", "merchnt_id"),
            ("csv_formulas=keep", "csv_formulas"),
        ])
        {
            var problem = await host.GetAsync("/v1/events?" + query, HttpStatusCode.BadRequest);
            Assert.Equal(400, problem.GetProperty("status").GetInt32());
            Assert.Equal([name], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name));
        }
    }

    [Fact]
    public async Task GetEvents_ValueOutsideOfAClosedSet_400ListsWhatThereIs()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(Event(0, "1") with { Currency = "EUR", PaymentStatus = "completed" });
        foreach (var (query, expected) in ((string, string)[])
        [
            ("currency=eur", "currency: Expected upper case: EUR."),
            ("currency=XXX", "currency: Expected an active ISO 4217 code in upper case, for example EUR."),
            ("payment_status=paid", "payment_status: Expected one of: completed, declined, failed, timeout, error, pending, cancelled, refunded, success."),
        ])
        {
            Assert.Equal(expected, (await host.GetAsync("/v1/events?" + query, HttpStatusCode.BadRequest)).GetProperty("detail").GetString());
        }

        Assert.Single(await host.GetAllAsync("/v1/events?currency=EUR&payment_status=success"));
        // An open set: an unknown method is kept as it is, and may come tomorrow.
        Assert.Empty(await host.GetAllAsync("/v1/events?payment_method=barter"));
    }

    [Fact]
    public async Task GetEvents_HostileValue_IsOnlyAValue()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(Event(0, "1") with { MerchantId = "m-1", CustomerId = "m-1", Currency = "EUR" });
        foreach (var value in (string[])["' OR 1=1 --", "'; DROP TABLE raw_event_files; --", "$from", "%", "m_1", "*", "\ud800", "a\\'b\"c", "/etc/passwd"])
        {
            foreach (var name in (string[])["merchant_id", "customer_id", "payment_method"])
                Assert.Empty(await host.GetAllAsync($"/v1/events?{name}={Uri.EscapeDataString(value)}"));
            foreach (var name in (string[])["payment_status", "currency"])
                await host.GetAsync($"/v1/events?{name}={Uri.EscapeDataString(value)}", HttpStatusCode.BadRequest);
            await host.GetAsync("/v1/transactions/" + Uri.EscapeDataString(value), HttpStatusCode.NotFound);
        }

        Assert.Single(await host.GetAllAsync("/v1/events"));
    }

    [Fact]
    public async Task GetEvents_UnacceptableForm_406()
    {
        await using var host = await QueryHost.StartAsync(platform);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events") { Headers = { { "Accept", "image/png" } } };
        using var response = await host.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotAcceptable, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task GetEvents_EmptyArchive_EmptyAnswers()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var page = await host.GetAsync("/v1/events");
        Assert.Equal(0, page.GetProperty("items").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, page.GetProperty("next_cursor").ValueKind);
        Assert.Equal("", await host.GetTextAsync("/v1/events", "application/x-ndjson"));
        Assert.Single((await host.GetTextAsync("/v1/events", "text/csv")).Split("\r\n", StringSplitOptions.RemoveEmptyEntries));
    }

    internal static TestEvent Event(long offset, string amount) => new()
    {
        Offset = offset,
        Amount = amount,
        TransactionId = $"t-{offset}",
        Time = RandomArchive.Start + (offset * 1_000_000),
        EnqueuedAt = RandomArchive.Start + (offset * 1_000_000) + 1_000_001,
    };

    internal static string MessageId(JsonElement item) => item.GetProperty("message_id").GetString()!;
}
