using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Playwright;
using PaymentPlatform.BlobArchiver;
using PaymentPlatform.Query.Tests.FailedItems;
using PaymentPlatform.Query.Tests.Reconciliation;
using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests.Audit;

public sealed class AuditTests(PlatformFixture fixture)
{
    private const string Id = "tx-audit";
    private const string Hostile = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202Egnp.\u0007";

    private static readonly string[] Arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    /// <summary>Written by the services themselves: what was not valid, its correction, its replay, and the merging of their files.</summary>
    [Fact]
    public async Task Get_WholeLife_TellsEachStep()
    {
        await using var platform = await ReconciledPlatform.StartAsync(
            fixture, new() { ["Archiver:CompactionInterval"] = "00:00:01", ["Archiver:SweepInterval"] = "00:00:00.200" });
        await platform.ArriveEarlierAsync(TimeSpan.FromHours(3));
        var host = platform.Host;
        var (bad, good) = (Payload("EURO"), Payload("EUR"));
        var publisher = host.App.Services.GetInspectedPublisher();
        await publisher.PublishAsync(new[] { new Message(Encoding.UTF8.GetBytes(bad), "m-1"u8.ToArray(), default, "C-1"u8.ToArray(), MessageHeaders.Empty) }, [], CancellationToken.None);
        await platform.DrainAsync();
        var letter = Assert.Single(await host.GetAllAsync("/v1/failed-items")).GetProperty("id").GetInt64();
        await DeadLetters.PostOkAsync(host, $"{letter}/resubmit?notes=ticket%204711", good);
        await platform.DrainAsync();
        var replay = await ReplayHarness.AskAsync(host, $"\"filter\": {{\"transaction_id\": \"{Id}\"}}, \"allow_live\": true", "payments");
        await ReplayHarness.UntilAsync(host, replay, "done");
        await platform.DrainAsync();
        await Eventually.TrueAsync(async () => await platform.ScalarAsync<long>("SELECT count(*) FROM raw_event_files WHERE state = 'superseded'") > 0, "files were merged");
        using (var hold = await host.Client.PostAsJsonAsync("/v1/archive/holds", new { transaction_id = Id, reason = "case 4711" }))
            Assert.Equal(HttpStatusCode.Created, hold.StatusCode);

        JsonElement trail = default;
        // A file may be merged between the reading of the archive and that of the manifest.
        await Eventually.TrueAsync(
            async () => (trail = await host.GetAsync($"/v1/transactions/{Id}/audit")).GetProperty("events").EnumerateArray().All(e => e.GetProperty("file").Text("state") == "live"), "a trail without a merge in between");
        Assert.Equal(Id, trail.Text("transaction_id"));
        Assert.Empty(trail.GetProperty("cut").EnumerateArray());
        Assert.Equal(0, trail.GetProperty("tail").GetProperty("unarchived_events").GetInt64());
        var events = trail.GetProperty("events").EnumerateArray().ToList();
        Assert.Equal((await host.GetAsync($"/v1/transactions/{Id}")).GetProperty("events").EnumerateArray().Select(e => e.Text("message_id")), events.Select(e => e.GetProperty("event").Text("message_id")));
        // The dead letter, its correction, and the replay of both: what is not valid has its place in the range as well.
        var replayId = replay.Text("id")!;
        Assert.Equal(
            [("live", null, false), ("resubmission", $"{letter}", true), ("replay", replayId, false), ("replay", replayId, false)],
            events.Select(e => (e.GetProperty("event").Text("origin")!, e.GetProperty("event").Text("origin_id"), e.GetProperty("counts_in_figures").GetBoolean())));
        Assert.Equal([Sha256(bad), Sha256(good)], events.Take(2).Select(e => e.Text("payload_sha256")!));
        foreach (var e in events)
        {
            var file = e.GetProperty("file");
            Assert.Equal("live", file.Text("state"));
            Assert.Equal(await BlobSha256Async(host, file), file.Text("sha256"));
            Assert.Equal(e.GetProperty("event").Text("archive_file"), file.Text("blob_name"));
        }

        var merged = events.First(e => e.GetProperty("earlier_files").GetArrayLength() > 0);
        var earlier = merged.GetProperty("earlier_files")[merged.GetProperty("earlier_files").GetArrayLength() - 1];
        Assert.Equal(("superseded", merged.GetProperty("file").Text("file_id")), (earlier.Text("state"), earlier.Text("superseded_by")));
        Assert.Equal(await BlobSha256Async(host, earlier), earlier.Text("sha256"));

        var item = Assert.Single(trail.GetProperty("failed_items").EnumerateArray());
        Assert.Equal((letter, "resubmitted", Sha256(bad), bad), (item.GetProperty("id").GetInt64(), item.Text("status"), item.Text("payload_sha256"), item.Text("raw_payload")));
        Assert.Equal(
            [("resubmission_begun", "anonymous", "ticket 4711"), ("resubmitted", "anonymous", "ticket 4711")],
            item.GetProperty("history").EnumerateArray().Select(c => (c.Text("action")!, c.Text("by")!, c.Text("notes")!)));
        Assert.Equal(Position(events[1].GetProperty("event")), Position(item.GetProperty("resubmission")));
        Assert.Equal([("currency", "\"EURO\"", "\"EUR\"")], item.GetProperty("correction").EnumerateArray().Select(c => (c.Text("field")!, c.Text("before"), c.Text("after"))));
        Assert.Contains("large_amount", trail.GetProperty("metric_hits").EnumerateArray().Select(h => h.Text("rule_name")));
        var replayed = Assert.Single(trail.GetProperty("replays").EnumerateArray());
        Assert.Equal((replayId, "done", "payments"), (replayed.Text("origin_id"), replayed.GetProperty("replay").Text("state"), replayed.GetProperty("replay").Text("target")));
        Assert.Equal(events.Skip(2).Select(e => Position(e.GetProperty("event"))), replayed.GetProperty("arrived").EnumerateArray().Select(Position));
        Assert.Equal(events.Take(2).Select(e => Position(e.GetProperty("event"))), replayed.GetProperty("taken").EnumerateArray().Select(t => Position(t.GetProperty("position"))));
        Assert.All(replayed.GetProperty("taken").EnumerateArray(), t => Assert.True(t.GetProperty("delivered").GetBoolean()));
        Assert.Equal("case 4711", Assert.Single(trail.GetProperty("legal_holds").EnumerateArray()).Text("reason"));

        var schemas = (await host.GetAsync("/openapi/v1.json")).GetProperty("components").GetProperty("schemas");
        foreach (var (schema, described) in ((string, JsonElement)[])[("AuditTrail", trail), ("AuditEvent", merged), ("AuditFile", earlier), ("AuditReplay", replayed), ("AuditPosition", item.GetProperty("resubmission"))])
            Assert.Equal(schemas.GetProperty(schema).GetProperty("properties").EnumerateObject().Select(p => p.Name).Order(), described.EnumerateObject().Select(p => p.Name).Order());
        var letterMembers = schemas.GetProperty("AuditFailedItem").GetProperty("allOf")[1].GetProperty("properties").EnumerateObject().Concat(schemas.GetProperty("FailedItemSummary").GetProperty("properties").EnumerateObject());
        Assert.Equal(letterMembers.Select(p => p.Name).Where(n => n != "raw_payload_base64").Order(), item.EnumerateObject().Select(p => p.Name).Order());

        var page = await host.GetTextAsync($"/v1/transactions/{Id}/audit", "text/html");
        string[] steps = ["Happened", "Event 1, 3, by its own time, not valid: completed 12999.5<", "completed 12999.50 EUR", "It has EURO; expected is an active ISO 4217 code, e.g. EUR.", "ticket 4711; changed: currency", "What the correction changed", "<td>currency</td><td class=\"mono\">&quot;EURO&quot;</td><td class=\"mono\">&quot;EUR&quot;</td>", "Arrived", "Set aside", "Corrected and resubmitted", "Resubmission arrived", $", of dead letter {letter}", "Brought again by a replay", $", of replay {replayId}", "Merged into another file", "Legal hold placed", "ticket 4711", Sha256(bad), earlier.Text("sha256")!];
        Assert.All(steps, step => Assert.Contains(step, page, StringComparison.Ordinal));
        await ShowAsync(host, Id, "audit");
    }

    /// <summary>What the store loses is a part of the history: where an event was first, when that was lost, what was written instead; of merged files as well.</summary>
    [Fact]
    public async Task Get_FilesWrittenAgain_TellsTheLosses()
    {
        await using var platform = await ReconciledPlatform.StartAsync(
            fixture, new() { ["Archiver:CompactionInterval"] = "00:00:01", ["Archiver:SweepInterval"] = "00:00:00.200" });
        await platform.ArriveEarlierAsync(TimeSpan.FromHours(3));
        var host = platform.Host;
        var publisher = host.App.Services.GetInspectedPublisher();
        await ArchiveAsync("m-1");
        var (first, second) = await LoseAsync();
        await ArchiveAsync("m-2");
        await Eventually.TrueAsync(async () => await platform.ScalarAsync<long>("SELECT count(*) FROM raw_event_files WHERE state = 'live'") == 1, "the files were merged");
        var (merged, again) = await LoseAsync();

        var events = (await host.GetAsync($"/v1/transactions/{Id}/audit")).GetProperty("events").EnumerateArray().ToList();
        Assert.Equal(2, events.Count);
        Assert.All(events, e => Assert.Equal((again.Text("blob_name"), "live"), (e.GetProperty("file").Text("blob_name"), e.GetProperty("file").Text("state"))));
        var earlier = events[0].GetProperty("earlier_files").EnumerateArray().ToList();
        Assert.Equal(
            [(first.Text("blob_name"), "lost", second.Text("file_id")), (second.Text("blob_name"), "superseded", again.Text("file_id")), (merged.Text("blob_name"), "lost", again.Text("file_id"))],
            earlier.Select(f => (f.Text("blob_name"), f.Text("state")!, f.Text("superseded_by"))));
        Assert.Equal(first.Text("sha256"), earlier[0].Text("sha256"));
        Assert.Equal(["superseded", "lost"], events[1].GetProperty("earlier_files").EnumerateArray().Select(f => f.Text("state")));

        var page = await host.GetTextAsync($"/v1/transactions/{Id}/audit", "text/html");
        var steps = Regex.Matches(page, """<td class="what">(?<what>[^<]*)</td><td>(?<detail>[^<]*)</td>""").Where(s => s.Groups["what"].Value != "Happened").ToList();
        Assert.Equal(["Arrived", "Arrived", "Archived", "Lost, written again", "Archived", "Merged into another file", "Lost, written again"], steps.Select(s => s.Groups["what"].Value));
        Assert.Equal($"Event 1, into {first.Text("blob_name")}", steps[2].Groups["detail"].Value);
        Assert.Equal($"Event 1, into {second.Text("blob_name")}: the store had lost or damaged {first.Text("blob_name")}", steps[3].Groups["detail"].Value);
        Assert.Equal($"Event 1, 2, into {merged.Text("blob_name")}", steps[5].Groups["detail"].Value);
        Assert.Equal($"Event 1, 2, into {again.Text("blob_name")}: the store had lost or damaged {merged.Text("blob_name")}", steps[6].Groups["detail"].Value);

        async Task ArchiveAsync(string messageId)
        {
            await publisher.PublishAsync(new[] { new Message(Encoding.UTF8.GetBytes(Payload("EUR")), Encoding.UTF8.GetBytes(messageId), default, "C-1"u8.ToArray(), MessageHeaders.Empty) }, [], CancellationToken.None);
            await platform.DrainAsync();
        }

        async Task<(JsonElement Lost, JsonElement Again)> LoseAsync()
        {
            var lost = Assert.Single(await host.GetAllAsync("/v1/archive/files"));
            await platform.Container.DeleteBlobAsync(lost.Text("blob_name"));
            var repaired = Assert.Single(await host.App.Services.GetRequiredService<IArchiveRepair>().RepairAsync([lost.GetProperty("file_id").GetGuid()], CancellationToken.None));
            Assert.Null(repaired.Reason);
            return (lost, Assert.Single(await host.GetAllAsync("/v1/archive/files")));
        }
    }

    [Fact]
    public async Task Get_RepeatsAndInvalidOnes_SaysWhatCounts()
    {
        await using var host = await QueryHost.StartAsync(fixture);
        byte[] notText = [0xFF, 0x00, 0x7B];
        await host.Archive.AddFileAsync(
            Event(0), Event(1) with { IsDuplicate = true }, Event(2) with { IsValid = false, Errors = """[{"field": "amount", "message": "It is missing."}]""", RawPayload = notText },
            Event(3) with { Origin = "replay", OriginId = "no job of ours" }, Event(4) with { Origin = "resubmission", OriginId = "4711" });
        var trail = await host.GetAsync($"/v1/transactions/{Id}/audit");
        var events = trail.GetProperty("events").EnumerateArray().ToList();
        Assert.Equal([true, false, false, false, true], events.Select(e => e.GetProperty("counts_in_figures").GetBoolean()));
        Assert.Equal([false, true, false, false, false], events.Select(e => e.GetProperty("event").GetProperty("duplicate").GetBoolean()));
        Assert.Equal((Convert.ToBase64String(notText), Convert.ToHexStringLower(SHA256.HashData(notText)), 3), (events[2].GetProperty("event").Text("raw_payload_base64"), events[2].Text("payload_sha256"), events[2].GetProperty("payload_bytes").GetInt32()));
        // An id that no job of ours has is told as it is.
        var replay = Assert.Single(trail.GetProperty("replays").EnumerateArray());
        Assert.Equal(("no job of ours", JsonValueKind.Null, 1), (replay.Text("origin_id"), replay.GetProperty("replay").ValueKind, replay.GetProperty("arrived").GetArrayLength()));
        Assert.Empty(trail.GetProperty("failed_items").EnumerateArray());
        var page = await host.GetTextAsync($"/v1/transactions/{Id}/audit", "text/html");
        Assert.All(["amount: It is missing.", "not in figures", "repeat", Convert.ToBase64String(notText)], text => Assert.Contains(text, page, StringComparison.Ordinal));
    }

    /// <summary>The replays that take an event are told by their own rule: by range and filter, and only what was archived when they were made.</summary>
    [Fact]
    public async Task Get_ReplaysIntoAnotherStream_OnlyThoseThatTakeIt()
    {
        await using var host = await QueryHost.StartAsync(fixture);
        await ReplayHarness.ArchiveAsync(host, [[Event(0) with { MerchantId = "M-1" }, Event(1) with { MerchantId = "M-1", IsDuplicate = true }]]);
        var taking = await ReplayHarness.AskAsync(host, "\"filter\": {\"merchant_id\": \"M-1\"}");
        await ReplayHarness.AskAsync(host, "\"filter\": {\"merchant_id\": \"M-2\"}");
        await ReplayHarness.AskAsync(host, "\"filter\": {\"transaction_id\": \"tx-other\"}");
        await ReplayHarness.UntilAsync(host, taking, "done");
        await ReplayHarness.ArchiveAsync(host, [[Event(2) with { MerchantId = "M-1" }]]);
        var replay = Assert.Single((await host.GetAsync($"/v1/transactions/{Id}/audit")).GetProperty("replays").EnumerateArray());
        Assert.Equal((taking.Text("id"), ReplayHarness.Target), (replay.Text("origin_id"), replay.GetProperty("replay").Text("target")));
        var taken = Assert.Single(replay.GetProperty("taken").EnumerateArray());
        Assert.Equal((0, true), (taken.GetProperty("position").GetProperty("stream_offset").GetInt32(), taken.GetProperty("delivered").GetBoolean()));

        // One that stopped before it noted anything: nobody knows.
        await host.Archive.ExecuteAsync("UPDATE replays SET state = 'stopped', position = NULL WHERE id = $1::uuid", new Npgsql.NpgsqlParameter { Value = taking.Text("id")! });
        replay = Assert.Single((await host.GetAsync($"/v1/transactions/{Id}/audit")).GetProperty("replays").EnumerateArray());
        Assert.Equal(JsonValueKind.Null, Assert.Single(replay.GetProperty("taken").EnumerateArray()).GetProperty("delivered").ValueKind);
    }

    /// <summary>Their filters matched nothing when they ran: one is refused today, the other means more.</summary>
    [Theory]
    [InlineData("""{"currency": "eur"}""")]
    [InlineData("""{"payment_status": "success"}""")]
    public async Task Get_ReplayOfEarlierThatTookNothing_IsNotThere(string filter)
    {
        await using var host = await QueryHost.StartAsync(fixture);
        await ReplayHarness.ArchiveAsync(host, [[Event(0) with { PaymentStatus = "completed" }]]);
        await ReplayHarness.StoreAsync(host, filter, "done");

        Assert.Empty((await host.GetAsync($"/v1/transactions/{Id}/audit")).GetProperty("replays").EnumerateArray());
    }

    /// <summary>It took something then, and nobody can tell any more what.</summary>
    [Fact]
    public async Task Get_ReplayWhoseFilterIsRefusedByNow_CallsItselfCut()
    {
        await using var host = await QueryHost.StartAsync(fixture);
        await ReplayHarness.ArchiveAsync(host, [[Event(0) with { MerchantId = "M-1" }]]);
        await ReplayHarness.UntilAsync(host, await ReplayHarness.AskAsync(host, "\"filter\": {\"merchant_id\": \"M-1\"}"), "done");
        await host.Archive.ExecuteAsync("""UPDATE replays SET filter = '{"Merchant_Id": "M-1"}'""");

        var trail = await host.GetAsync($"/v1/transactions/{Id}/audit");
        Assert.Empty(trail.GetProperty("replays").EnumerateArray());
        Assert.Equal("replays", Assert.Single(trail.GetProperty("cut").EnumerateArray()).GetString());
    }

    [Fact]
    public async Task Get_DeadLetterThatIsNotArchivedYet_IsThereWithItsBytes()
    {
        await using var host = await QueryHost.StartAsync(fixture);
        var id = await DeadLetters.AddAsync(host, DeadLetters.BadEvent());
        var trail = await host.GetAsync("/v1/transactions/tx-1/audit");
        Assert.Empty(trail.GetProperty("events").EnumerateArray());
        var item = Assert.Single(trail.GetProperty("failed_items").EnumerateArray());
        Assert.Equal((id, DeadLetters.BadEvent(), JsonValueKind.Null), (item.GetProperty("id").GetInt64(), item.Text("raw_payload"), item.GetProperty("resubmission").ValueKind));
        Assert.Contains("EURO", await host.GetTextAsync("/v1/transactions/tx-1/audit", "text/html"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_ResubmittedUnderAnotherId_LeadsToTheDeadLetter()
    {
        await using var host = await QueryHost.StartAsync(fixture);
        var id = await DeadLetters.AddAsync(host, DeadLetters.BadEvent());
        await host.Archive.AddFileAsync(Event(9) with { Origin = "resubmission", OriginId = $"{id}" });
        var item = Assert.Single((await host.GetAsync($"/v1/transactions/{Id}/audit")).GetProperty("failed_items").EnumerateArray());
        Assert.Equal((id, "tx-1", 9), (item.GetProperty("id").GetInt64(), item.Text("transaction_id"), item.GetProperty("resubmission").GetProperty("stream_offset").GetInt32()));
    }

    [Fact]
    public async Task Get_MoreThanAnAnswerHolds_SaysWhatIsCut()
    {
        await using var host = await QueryHost.StartAsync(fixture);
        await host.Archive.AddFileAsync([.. Enumerable.Range(0, 1001).Select(i => Event(i))]);
        for (var i = 0; i < 101; i++)
            await DeadLetters.AddAsync(host, DeadLetters.BadEvent());
        await host.Archive.ExecuteAsync("UPDATE failed_items SET transaction_id = $1", new Npgsql.NpgsqlParameter { Value = Id });
        await host.Archive.ExecuteAsync(
            """
            INSERT INTO dynamic_metrics (event_time, rule_name, stream, log_id, partition_id, stream_offset, rule_version, metric_type, transaction_id)
            SELECT now(), 'r', 'payments', 'log-1', 0, n, '1', 'count', $1 FROM generate_series(0, 1000) n
            """, new Npgsql.NpgsqlParameter { Value = Id });
        var trail = await host.GetAsync($"/v1/transactions/{Id}/audit");
        Assert.Equal(["events", "failed_items", "metric_hits"], trail.GetProperty("cut").EnumerateArray().Select(c => c.GetString()!).Order());
        Assert.Equal((1000, 100, 1000), (trail.GetProperty("events").GetArrayLength(), trail.GetProperty("failed_items").GetArrayLength(), trail.GetProperty("metric_hits").GetArrayLength()));
        Assert.Contains("Not all of it.", await host.GetTextAsync($"/v1/transactions/{Id}/audit", "text/html"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_OddAndUnknownIds()
    {
        await using var host = await QueryHost.StartAsync(fixture);
        string[] ids = ["a/b", "a%2Fb", "audit", "größe 1?x=y&z#f", "🙂"];
        await host.Archive.AddFileAsync([.. ids.Select((id, i) => Event(i) with { TransactionId = id })]);
        foreach (var id in ids)
            Assert.Equal(id, Assert.Single((await host.GetAsync($"/v1/transactions/{Uri.EscapeDataString(id)}/audit")).GetProperty("events").EnumerateArray()).GetProperty("event").Text("transaction_id"));
        var problem = await host.GetAsync("/v1/transactions/nope/audit", HttpStatusCode.NotFound);
        Assert.Contains("no archiver has run", problem.Text("detail"), StringComparison.Ordinal);
        await host.GetAsync("/v1/transactions/audit/audit?x=1", HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData(null, "application/json")]
    [InlineData("*/*", "application/json")]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html")]
    [InlineData("application/json;q=0.5, text/html", "text/html")]
    [InlineData("text/html;q=0, application/json", "application/json")]
    [InlineData("text/plain", null)]
    public async Task Get_Accept_ChoosesTheForm(string? accept, string? expected)
    {
        await using var host = await QueryHost.StartAsync(fixture);
        await host.Archive.AddFileAsync(Event(0));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/transactions/{Id}/audit");
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await host.Client.SendAsync(request);
        Assert.Equal((expected is null ? HttpStatusCode.NotAcceptable : HttpStatusCode.OK, expected ?? "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        Assert.Equal("Accept", Assert.Single(response.Headers.Vary));
    }

    /// <summary>As the list of holds, what says who is looked into is not for everybody who may read.</summary>
    [Fact]
    public async Task Get_LegalHolds_AreForThoseWhoMayPlaceThem()
    {
        var (operate, read) = (new string('o', 30), new string('r', 30));
        await using var host = await QueryHost.StartAsync(fixture, new()
        {
            ["Access:OperateKey"] = operate, ["Access:ApiKeys:auditor:Hash"] = "sha256:" + Sha256(read), ["Access:ApiKeys:auditor:Roles"] = "read",
        });
        await host.Archive.AddFileAsync(Event(0));
        await host.Archive.ExecuteAsync(
            """
            INSERT INTO legal_holds (range_from, range_to, transaction_id, reason, placed_by, released_by, released_at) VALUES
            (NULL, NULL, 'tx-audit', 'secret case', 'me', NULL, NULL), ('2026-01-01', '2026-01-02', NULL, 'secret day', 'me', 'me', now()), ('2026-02-01', '2026-02-02', NULL, 'another day', 'me', NULL, NULL)
            """);
        foreach (var (key, reasons) in ((string, string[]?)[])[(operate, ["secret case", "secret day"]), (read, null)])
        {
            host.Client.DefaultRequestHeaders.Remove("X-Api-Key");
            host.Client.DefaultRequestHeaders.Add("X-Api-Key", key);
            var holds = (await host.GetAsync($"/v1/transactions/{Id}/audit")).GetProperty("legal_holds");
            Assert.Equal(reasons, holds.ValueKind == JsonValueKind.Null ? null : holds.EnumerateArray().Select(h => h.Text("reason")!));
            Assert.Equal(reasons is not null, (await host.GetTextAsync($"/v1/transactions/{Id}/audit", "text/html")).Contains("secret", StringComparison.Ordinal));
        }
    }

    /// <summary>Whatever was sent is text on the page: nothing runs, nothing loads, nothing reads in another order than it stands.</summary>
    [Fact]
    public async Task Page_HostileTexts_AreShownAsTheyAre()
    {
        await using var host = await QueryHost.StartAsync(fixture);
        var id = "tx" + Hostile;
        await host.Archive.AddFileAsync(Event(0) with
        {
            TransactionId = id, MerchantId = Hostile, MerchantName = Hostile, CustomerId = Hostile, MessageId = Hostile, Currency = Hostile, PaymentStatus = Hostile, Metadata = "\"\\ud800<script>\"", IsValid = false,
            Errors = JsonSerializer.Serialize(new[] { new { field = Hostile, message = Hostile } }), Origin = "replay", OriginId = Hostile, RawPayload = Encoding.UTF8.GetBytes("{\r\n" + Hostile + "}"),
        });
        var letter = await DeadLetters.AddAsync(host, Hostile, Hostile, Hostile);
        await host.Archive.ExecuteAsync("UPDATE failed_items SET transaction_id = $1, error_message = $1, message_id = $1, notes = $1, stream = 'elsewhere'", new Npgsql.NpgsqlParameter { Value = id });
        await host.Archive.ExecuteAsync("INSERT INTO failed_item_events (item_id, action, done_by, notes) VALUES ($1, 'discarded', $2, $2)", new() { Value = letter }, new() { Value = Hostile });
        await host.Archive.ExecuteAsync("INSERT INTO legal_holds (transaction_id, reason, placed_by) VALUES ($1, $2, $2)", new() { Value = id }, new() { Value = Hostile });
        await host.Archive.ExecuteAsync(
            "INSERT INTO dynamic_metrics (event_time, rule_name, stream, log_id, partition_id, stream_offset, rule_version, metric_type, transaction_id, metric_data) VALUES (now(), $2, $2, $2, 0, 0, $2, $2, $1, jsonb_build_object('x', $2))",
            new() { Value = id }, new() { Value = Hostile });
        var path = $"/v1/transactions/{Uri.EscapeDataString(id)}/audit";
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", "text/html");
        using var response = await host.Client.SendAsync(request);
        var page = await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Matches("^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$", policy);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.All(["<script", "<img", "</pre><", "\u202E", "\u0007", "src=x onerror=alert(2)>"], markup => Assert.DoesNotContain(markup, page, StringComparison.OrdinalIgnoreCase));
        Assert.Contains(@"&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;&quot;&#x27;&amp;\u{202E}gnp.\u{7}", page, StringComparison.Ordinal);
        Assert.Contains(@"\ud800&lt;script&gt;", page, StringComparison.Ordinal);
        Assert.Contains(" bytes, 1 event</dd>", page, StringComparison.Ordinal);
        // JSON keeps every text as it is.
        var trail = await host.GetAsync(path);
        Assert.Equal(Hostile, trail.GetProperty("events")[0].GetProperty("event").Text("merchant_name"));
        await ShowAsync(host, id, "audit-hostile");
    }

    /// <summary>In a real browser, when there is one: styled, quiet, and as wide as its window.</summary>
    private static async Task ShowAsync(QueryHost host, string id, string name)
    {
        await using var browser = await BrowserSession.OpenAsync(host, Arguments);
        await browser.Page.GotoAsync(new Uri(host.Address, $"/v1/transactions/{Uri.EscapeDataString(id)}/audit").ToString());
        await Assertions.Expect(browser.Page.Locator("h1")).ToContainTextAsync("Audit trail of payment");
        Assert.Equal(0, await browser.Page.Locator("script, img, link, iframe").CountAsync());
        Assert.Equal("collapse", await browser.Page.EvaluateAsync<string>("getComputedStyle(document.querySelector('table')).borderCollapse"));
        Assert.True(await browser.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth"), "The page scrolls sideways.");
        await browser.ScreenshotAsync(name);
        await browser.Page.EmulateMediaAsync(new() { Media = Media.Print });
        await browser.Page.SetViewportSizeAsync(688, 1000);
        await browser.ScreenshotAsync(name + "-print");
        await browser.PrintAsync(name);
        browser.AssertQuiet();
    }

    private static TestEvent Event(long offset) => EventsApiTests.Event(offset, "12.5") with { TransactionId = Id };

    private static string Payload(string currency) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"transaction_id": "{{Id}}", "transaction_timestamp": "{{DateTime.UtcNow.AddHours(-4):yyyy-MM-dd'T'HH:mm:ss'Z'}}", "amount": 12999.50, "currency": "{{currency}}", "payment_method": "credit_card", "payment_status": "completed", "customer_id": "C-1", "merchant_name": "Café <Süd>"}""");

    private static (string?, string?, int, long) Position(JsonElement item) =>
        (item.Text("stream"), item.Text("stream_log_id"), item.GetProperty("stream_partition").GetInt32(), item.GetProperty("stream_offset").GetInt64());

    private static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static async Task<string> BlobSha256Async(QueryHost host, JsonElement file) =>
        Convert.ToHexStringLower(SHA256.HashData((await host.Connections.RawEvents.GetBlobClient(file.Text("blob_name")).DownloadContentAsync()).Value.Content.ToArray()));
}
