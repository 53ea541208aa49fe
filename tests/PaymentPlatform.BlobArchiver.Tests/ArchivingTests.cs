using PaymentPlatform.Streaming;
using PaymentPlatform.Testing;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>The archiver on real PostgreSQL, the real stream and a real blob store.</summary>
public sealed class ArchivingTests(PlatformFixture fixture)
{
    [Fact]
    public async Task Archive_ManyEvents_KeepsEachOnceWithItsBytes()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture);
        await platform.StartArchiverAsync();
        for (var i = 0; i < 10; i++)
            await platform.PublishAsync(i * 300, 300);
        await platform.WaitForArchivedAsync(3000);

        var rows = await ArchiveContents.AssertCompleteAsync(platform, 3000);
        Assert.All(rows, r =>
        {
            Assert.True(r.IsValid, r.Errors);
            Assert.Equal("live", r.Origin);
            Assert.Equal(TestEvents.Json(r.TransactionId!), r.RawText);
            Assert.Equal("m-" + r.TransactionId![3..], r.MessageId);
        });
        // By arrival hour, and sorted by time within it.
        Assert.Equal(0, await platform.CountAsync(
            """
            SELECT count(*) FROM raw_event_files WHERE state = 'live'
              AND blob_name !~ ('^raw_events/' || to_char(min_enqueued_at AT TIME ZONE 'UTC', '"yyyy="YYYY"/mm="MM"/dd="DD"/hh="HH24') || '/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\.parquet$')
            """));
        Assert.Equal(3000, await platform.CountAsync("SELECT sum(valid_count) FROM raw_event_files WHERE state = 'live' AND min_transaction_timestamp = '2025-12-05T14:00:00Z' AND max_transaction_timestamp = min_transaction_timestamp AND min_enqueued_at <= max_enqueued_at AND archived_at >= max_enqueued_at - interval '1 second'"));
    }

    [Fact]
    public async Task Archive_RowLimit_NoFileHasMoreAndTheRestWaits()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        var archiver = await platform.StartArchiverAsync(null, ("FlushRows", "100"), ("FlushAge", "01:00:00"));
        await platform.PublishAsync(0, 1050);
        await platform.WaitForArchivedAsync(1000);
        Assert.Equal(1000, await platform.CountArchivedAsync());
        Assert.Equal(10, await platform.CountAsync("SELECT count(*) FROM raw_event_files WHERE state = 'live' AND row_count = 100"));

        // The end flushes what no limit has.
        await archiver.StopAsync();
        Assert.Equal(1050, await platform.CountArchivedAsync());
        await ArchiveContents.AssertCompleteAsync(platform, 1050);
        Assert.Equal(0, await platform.CountAsync("SELECT count(*) FROM stream_leases WHERE consumer_group = 'archiver'"));
        Assert.Equal(0, await platform.CountAsync("SELECT count(*) FROM raw_event_files WHERE state <> 'live'"));
    }

    [Fact]
    public async Task Archive_SizeLimit_CutsFiles()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 1);
        await platform.StartArchiverAsync(null, ("FlushBytes", "262144"), ("FlushAge", "00:00:20"));
        await platform.PublishAsync(0, 400, bytes: 4096);
        await platform.WaitForArchivedAsync(400);
        // 64 payloads of 4 kB reach the limit; memory may reach it before.
        Assert.InRange(await platform.CountAsync("SELECT max(row_count) FROM raw_event_files WHERE state = 'live'"), 1, 64);
        await ArchiveContents.AssertCompleteAsync(platform, 400);
    }

    [Fact]
    public async Task Archive_QuietStream_WritesNothing()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture);
        var archiver = await platform.StartArchiverAsync(null, ("FlushAge", "00:00:00.050"));
        await platform.PublishAsync(0, 1);
        await platform.WaitForArchivedAsync(1);
        // Nothing came since: neither its lease's renewals, many flush ages long, nor the end may make a file.
        const string RenewedAt = "SELECT (extract(epoch FROM max(expires_at)) * 1000000)::bigint FROM stream_leases WHERE consumer_group = 'archiver'";
        var renewed = await platform.CountAsync(RenewedAt);
        await Eventually.TrueAsync(async () => await platform.CountAsync(RenewedAt) > renewed, "a renewal of the leases");
        await archiver.StopAsync();
        Assert.Equal(1, await platform.CountAsync("SELECT count(*) FROM raw_event_files"));
    }

    [Fact]
    public async Task Archive_TwoArchivers_ShareThePartitions()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture);
        var first = await platform.StartArchiverAsync();
        await platform.PublishAsync(0, 500);
        await platform.WaitForArchivedAsync(500);
        var second = await platform.StartArchiverAsync();
        for (var i = 1; i < 20; i++)
            await platform.PublishAsync(i * 500, 500);
        await Eventually.TrueAsync(async () => await platform.CountAsync("SELECT count(DISTINCT owner) FROM stream_leases WHERE consumer_group = 'archiver'") == 2, "two owners");
        await platform.PublishAsync(10000, 500);
        await platform.WaitForArchivedAsync(10500);
        // One goes, in good order; the other takes over at once.
        await first.StopAsync();
        await platform.PublishAsync(10500, 500);
        await platform.WaitForArchivedAsync(11000);
        await second.StopAsync();
        await ArchiveContents.AssertCompleteAsync(platform, 11000);
    }

    [Fact]
    public async Task Archive_KilledAgainAndAgain_KeepsEachOnce()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture);
        var random = new Random(17);
        using var stop = new CancellationTokenSource();
        var published = 0;
        var producer = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await platform.PublishAsync(published, 100);
                published += 100;
                await Task.Delay(20, CancellationToken.None);
            }
        });
        for (var i = 0; i < 8; i++)
        {
            var archiver = await platform.StartArchiverAsync(null, ("FlushAge", "00:00:00.050"));
            await Task.Delay(random.Next(50, 600));
            await archiver.KillAsync();
        }

        await stop.CancelAsync();
        await producer;
        await platform.StartArchiverAsync();
        await platform.WaitForArchivedAsync(published);
        await ArchiveContents.AssertCompleteAsync(platform, published);
    }

    [Fact]
    public async Task Archive_OddAndBadEvents_AreKeptAsTheyCame()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture);
        var log = new MessageHeaders([new(HeaderNames.Origin, "replay"), new(HeaderNames.OriginId, "r-7")]);
        const string NotJson = "{\"transaction_id\": oops \u00e9";
        const string Invalid = """{"transaction_id":"tx-bad","amount":-1}""";
        const string Odd = """{ "transaction_id" : "tx-odd", "timestamp":"2025-12-05T14:00:00Z", "amount":"110.6", "currency":"JPY", "payment_method":"barter", "status":"success", "correlation_id":"cor-1", "merchant_name":"Café 東京" }""";
        await platform.PublishAsync(
        [
            ("m-1", NotJson, "a", MessageHeaders.Empty), ("m-2", Invalid, "b", MessageHeaders.Empty), ("m-3", Odd, "c", MessageHeaders.Empty),
            ("", TestEvents.Json("tx-anonymous"), "d", log), ("m-5", "", "e", MessageHeaders.Empty),
        ]);
        await platform.StartArchiverAsync();
        await platform.WaitForArchivedAsync(5);

        var rows = (await ArchiveContents.AssertCompleteAsync(platform, 5)).ToDictionary(r => r.RawText);
        Assert.False(rows[NotJson].IsValid);
        Assert.Contains("json", rows[NotJson].Errors);
        Assert.False(rows[Invalid].IsValid);
        Assert.Equal("tx-bad", rows[Invalid].TransactionId);
        Assert.Contains("amount_positive", rows[Invalid].Errors);
        Assert.Contains("currency", rows[Invalid].Errors);
        Assert.True(rows[Odd].IsValid, rows[Odd].Errors);
        Assert.Equal("cor-1", rows[Odd].CorrelationId);
        Assert.False(rows[""].IsValid);
        var anonymous = rows[TestEvents.Json("tx-anonymous")];
        Assert.EndsWith($"-{anonymous.Partition}-{anonymous.Offset}", anonymous.MessageId);
        Assert.Equal(anonymous.MessageId, anonymous.CorrelationId);
        Assert.Equal(("replay", "r-7"), (anonymous.Origin, anonymous.OriginId));
        Assert.Equal(2, await platform.CountAsync("SELECT sum(valid_count) FROM raw_event_files WHERE state = 'live'"));
    }

    [Fact]
    public async Task Archive_CardData_IsMaskedEverywhere()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture);
        const string Number = "4111111111111111";
        var body = $$$"""{"transaction_id":"tx-card","transaction_timestamp":"2025-12-05T14:00:00Z","amount":1,"currency":"EUR","payment_method":"credit_card","payment_status":"completed","note":"{{{Number}}}","metadata":{"cvv":"739"}}""";
        await platform.PublishAsync([("m-1", body, "a", MessageHeaders.Empty), ("m-2", "not json " + Number, "b", MessageHeaders.Empty)]);
        var archiver = await platform.StartArchiverAsync();
        await platform.WaitForArchivedAsync(2);

        var rows = await ArchiveContents.AssertCompleteAsync(platform, 2);
        Assert.All(rows, r =>
        {
            Assert.DoesNotContain(Number, r.RawText);
            Assert.DoesNotContain("739", r.RawText);
            Assert.DoesNotContain(Number, r.Errors ?? "");
        });
        Assert.Contains(rows, r => r.RawText.Contains("411111******1111", StringComparison.Ordinal));
        Assert.DoesNotContain(archiver.Log.Lines, l => l.Text.Contains(Number, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Archive_CardDataAllowed_KeepsTheBytes()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture);
        var body = TestEvents.Json("tx-1")[..^1] + ",\"note\":\"4111111111111111\"}";
        await platform.PublishAsync([("m-1", body, "a", MessageHeaders.Empty)]);
        await platform.StartArchiverAsync(null, ("Ingest:CardData", "allow"));
        await platform.WaitForArchivedAsync(1);
        Assert.Equal(body, Assert.Single(await ArchiveContents.AssertCompleteAsync(platform, 1)).RawText);
    }

    [Fact]
    public async Task Archive_StreamRecreated_IsReadFromItsBeginning()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture, partitions: 2);
        await platform.StartArchiverAsync();
        await platform.PublishAsync(0, 200);
        await platform.WaitForArchivedAsync(200);
        var admin = new Streaming.Postgres.PostgresStreamAdmin(platform.Database);
        await admin.DropAsync("payments", CancellationToken.None);
        await admin.CreateAsync("payments", 2, CancellationToken.None);
        await platform.PublishAsync(200, 100);
        await platform.WaitForArchivedAsync(300);
        var rows = await ArchiveContents.ReadAsync(platform);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"m-{i}").Order(), rows.Select(r => r.MessageId).Order());
    }

    [Fact]
    public async Task Start_WrongOption_IsOneClearError()
    {
        await using var platform = await TestPlatform.CreateAsync(fixture);
        var e = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => platform.StartArchiverAsync(null, ("FlushRows", "0")));
        Assert.Contains("FlushRows", e.Message);
        e = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => platform.StartArchiverAsync(null, ("PendingTimeout", "00:00:01"), ("MaxRetryDelay", "00:00:10")));
        Assert.Contains("Archiver:PendingTimeout", e.Message);
        e = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => platform.StartArchiverAsync(null, ("Ingest:CardData", "alow")));
        Assert.Equal("Ingest:CardData is 'alow': it must be reject, mask or allow.", e.Message);
    }
}
