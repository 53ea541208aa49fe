using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Ingest.Tests;

public sealed class LimitTests
{
    private readonly InMemoryPublisher _publisher = new();

    [Theory]
    [InlineData("{\"transaction_id\": \"a\",\n \"amount\" 1}", 2, 11)]
    [InlineData("[{\"a\":1},\n{\"a\":1]", 2, 7)]
    [InlineData("[{}", 1, 4)]
    [InlineData("nonsense", 1, 2)]
    public async Task Post_NotJson_Answers400WithThePositionAndPublishesNothing(string body, int line, int column)
    {
        await using var host = await IngestHost.StartAsync(_publisher);

        var answer = await host.PostAsync(body, "application/json");

        Assert.Equal(400, answer.Status);
        Assert.Equal("application/problem+json", answer.MediaType);
        Assert.Equal(line, answer.Json.GetProperty("line").GetInt32());
        Assert.Equal(column, answer.Json.GetProperty("column").GetInt32());
        Assert.Empty(_publisher.Calls);
    }

    [Fact]
    public async Task Post_ArrayThatBreaksAfterThousandsOfEvents_PublishesNothing()
    {
        await using var host = await IngestHost.StartAsync(_publisher);

        var answer = await host.PostAsync("[" + string.Join(",", Enumerable.Range(0, 3000).Select(i => TestEvents.Valid(i))) + ",]", "application/json");

        Assert.Equal(400, answer.Status);
        Assert.Equal(0, answer.Accepted);
        Assert.Empty(_publisher.Calls);
    }

    [Theory]
    [InlineData("", "application/json")]
    [InlineData(" \r\n", "application/json")]
    [InlineData("", "application/x-ndjson")]
    [InlineData("\n \r\n\n", "application/x-ndjson")]
    [InlineData("42", "application/json")]
    [InlineData("null", "application/json")]
    [InlineData("[]", "application/cloudevents+json")]
    [InlineData("{}", "application/cloudevents-batch+json")]
    [InlineData("{} {}", "application/json")]
    public async Task Post_BodyWithoutEvents_Answers400(string body, string mediaType)
    {
        await using var host = await IngestHost.StartAsync(_publisher);

        var answer = await host.PostAsync(body, mediaType);

        Assert.Equal(400, answer.Status);
        Assert.Equal("application/problem+json", answer.MediaType);
        Assert.NotEmpty(answer.Json.GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task Post_UnknownParameter_Answers400ThatNamesIt()
    {
        await using var host = await IngestHost.StartAsync(_publisher);
        using var content = new StringContent(TestEvents.Valid(1), System.Text.Encoding.UTF8, "application/json");

        using var answer = await host.Client.PostAsync("/v1/transactions?dry_run=true", content, TestContext.Current.CancellationToken);

        Assert.Equal(System.Net.HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains("\"errors\":{\"dry_run\":[\"There is no such parameter here; there is none at all.\"]}", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_ChunkedBodyWithoutEvents_Answers400()
    {
        await using var host = await IngestHost.StartAsync(_publisher);

        Assert.Equal(400, (await host.PostAsync(new GeneratedContent([]), "application/x-ndjson")).Status);
        Assert.Equal(400, (await host.PostAsync(new GeneratedContent([]), "application/json")).Status);
    }

    [Fact]
    public async Task Post_VeryDeepArray_IsARejectionNotAFailure()
    {
        await using var host = await IngestHost.StartAsync(_publisher);
        var deep = string.Concat(Enumerable.Repeat("[", 50_000)) + string.Concat(Enumerable.Repeat("]", 50_000));

        var answer = await host.PostAsync($"[{TestEvents.Valid(1)},{TestEvents.Valid(2, ",\"metadata\":{\"x\":" + deep + "}")}]", "application/json");

        Assert.Equal(202, answer.Status);
        Assert.Equal("depth", answer.FirstConstraint());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Post_JsonOverItsLimit_Answers413(bool chunked)
    {
        await using var host = await IngestHost.StartAsync(_publisher, ("Ingest:MaxBodyBytes", "4096"), ("Ingest:MaxEventBytes", "2048"));
        byte[] Body(int size) => TestEvents.Bytes(TestEvents.Valid(1) + new string(' ', size - TestEvents.Valid(1).Length));
        HttpContent Content(int size) => chunked ? new GeneratedContent([Body(size)]) : new ByteArrayContent(Body(size));

        var fits = await host.PostAsync(Content(4096), "application/json");
        var tooLarge = await host.PostAsync(Content(4097), "application/json");
        var ndjson = await host.PostAsync(string.Concat(Enumerable.Range(0, 100).Select(i => TestEvents.Valid(i) + "\n")), "application/x-ndjson");

        Assert.Equal(202, fits.Status);
        Assert.Equal(413, tooLarge.Status);
        Assert.Equal("application/problem+json", tooLarge.MediaType);
        Assert.Equal(202, ndjson.Status);
    }

    [Fact]
    public async Task Post_CompressedJsonThatGrowsOverTheLimit_Answers413()
    {
        await using var host = await IngestHost.StartAsync(_publisher, ("Ingest:MaxBodyBytes", "100000"));
        using var output = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(output, System.IO.Compression.CompressionLevel.Fastest))
            gzip.Write(TestEvents.Bytes(TestEvents.Valid(1) + new string(' ', 10_000_000)));

        var answer = await host.PostAsync(output.ToArray(), "application/json", ("Content-Encoding", "gzip"));

        Assert.True(output.ToArray().Length < 100_000);
        Assert.Equal(413, answer.Status);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    public async Task Post_EventsAroundTheSizeLimit_RejectsTheLargerOnesAlone(string mediaType)
    {
        await using var host = await IngestHost.StartAsync(_publisher, ("Ingest:MaxEventBytes", "2048"));
        string Sized(int i, int size) => TestEvents.Valid(i, $",\"pad\":\"{new string('p', size - TestEvents.Valid(i, ",\"pad\":\"\"").Length)}\"");
        string[] events = [Sized(0, 2048), Sized(1, 2049), Sized(2, 2050), Sized(3, 2051), Sized(4, 2052), Sized(5, 2053), Sized(6, 100_000), Sized(7, 2_000_000), Sized(8, 2047)];
        var body = mediaType == "application/json" ? $"[{string.Join(",", events)}]" : string.Join("\r\n", events);

        var answer = await host.PostAsync(body, mediaType);

        Assert.Equal(2, answer.Accepted);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], answer.Rejected.EnumerateArray().Select(r => r.GetProperty("index").GetInt32()));
        Assert.All(Enumerable.Range(0, 7), i => Assert.Equal("size", answer.FirstConstraint(i)));
        Assert.Equal([events[0], events[8]], _publisher.Messages.Select(m => m.Text));
    }

    [Fact]
    public async Task Post_MessageThatTheTransportFindsTooLarge_IsARejectionOfThatEvent()
    {
        _publisher.MaxMessageBytes = 1000;
        await using var host = await IngestHost.StartAsync(_publisher);
        var large = TestEvents.Valid(1, $",\"pad\":\"{new string('p', 1000)}\"");

        var answer = await host.PostAsync($"{TestEvents.Valid(0)}\n{large}\n{TestEvents.Valid(2)}\n{large}\n", "application/x-ndjson");

        Assert.Equal(202, answer.Status);
        Assert.Equal(2, answer.Accepted);
        Assert.Equal([1, 3], answer.Rejected.EnumerateArray().Select(r => r.GetProperty("index").GetInt32()));
        Assert.Equal("size", answer.FirstConstraint());
        Assert.Equal("tx-1", answer.Rejected[0].GetProperty("transaction_id").GetString());
        Assert.Equal([TestEvents.Valid(0), TestEvents.Valid(2)], _publisher.Messages.Select(m => m.Text));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Post_MessageTooLargeForTheTransportBesideALargerOne_IsTheOneThatIsRejected(bool cloudEvents)
    {
        _publisher.IsTooLarge = message => message.Body.Span.IndexOf("tx-1\""u8) >= 0;
        await using var host = await IngestHost.StartAsync(_publisher);
        string[] events = [TestEvents.Valid(0), TestEvents.Valid(1), TestEvents.Valid(2, $",\"pad\":\"{new string('p', 1000)}\"")];
        var body = $"[{string.Join(",", cloudEvents ? events.Select((e, i) => TestEvents.CloudEvent($"{i}", e)) : events)}]";

        var answer = await host.PostAsync(body, cloudEvents ? "application/cloudevents-batch+json" : "application/json");

        Assert.Equal(1, Assert.Single(answer.Rejected.EnumerateArray()).GetProperty("index").GetInt32());
        Assert.Equal([events[0], events[2]], _publisher.Messages.Select(m => m.Text));
    }

    [Fact]
    public async Task Post_NoRoomForTheBody_Answers429AtOnceAndIsTakenLater()
    {
        var gate = new TaskCompletionSource();
        _publisher.Before = () => gate.Task;
        await using var host = await IngestHost.StartAsync(
            _publisher, ("Ingest:MaxBytesInFlight", "2097152"), ("Ingest:MaxBodyBytes", "1048576"));
        var first = host.PostAsync(new GeneratedContent([TestEvents.Bytes(TestEvents.Valid(1))]), "application/x-ndjson");
        var second = host.PostAsync(new GeneratedContent([TestEvents.Bytes(TestEvents.Valid(2))]), "application/x-ndjson");
        await Eventually.TrueAsync(() => _publisher.Waiting == 2, "both are being published");

        var ndjson = await host.PostAsync(TestEvents.Valid(3), "application/x-ndjson");
        var json = await host.PostAsync(TestEvents.Valid(3), "application/json");
        gate.SetResult();

        Assert.Equal(429, ndjson.Status);
        Assert.Equal("1", ndjson.RetryAfter);
        Assert.Equal("application/problem+json", ndjson.MediaType);
        Assert.Equal(429, json.Status);
        Assert.Equal(202, (await first).Status);
        Assert.Equal(202, (await second).Status);
        Assert.Equal(202, (await host.PostAsync(TestEvents.Valid(3), "application/x-ndjson")).Status);
        Assert.Equal(3, _publisher.Count);
        Assert.Equal(0, host.Budget.Used);
    }

    [Fact]
    public async Task Post_NoRoomForASecondBuffer_GoesOnWithOne()
    {
        await using var host = await IngestHost.StartAsync(
            _publisher, ("Ingest:MaxBytesInFlight", "1048576"), ("Ingest:MaxBodyBytes", "1048576"));
        var body = TestEvents.Lines(0, 10_000);

        var answer = await host.PostAsync(new GeneratedContent([TestEvents.Bytes(body)]), "application/x-ndjson");

        Assert.Equal(10_000, answer.Accepted);
        Assert.Equal(body, string.Concat(_publisher.Messages.Select(m => m.Text + "\n")));
    }

    [Fact]
    public async Task Post_TooManyRequests_Answers429()
    {
        var gate = new TaskCompletionSource();
        _publisher.Before = () => gate.Task;
        await using var host = await IngestHost.StartAsync(_publisher, ("Ingest:MaxConcurrentRequests", "1"));
        var first = host.PostAsync(TestEvents.Valid(1), "application/json");
        await Eventually.TrueAsync(() => _publisher.Waiting == 1, "the first is being published");

        var second = await host.PostAsync(TestEvents.Valid(2), "application/json");
        gate.SetResult();

        Assert.Equal(429, second.Status);
        Assert.Equal(202, (await first).Status);
        Assert.Equal(202, (await host.PostAsync(TestEvents.Valid(2), "application/json")).Status);
    }

    [Fact]
    public async Task Post_StreamWhilePublishingIsHeldUp_IsReadNoFurtherThanTwoBuffers()
    {
        var gate = new TaskCompletionSource();
        _publisher.Before = () => gate.Task;
        await using var host = await IngestHost.StartAsync(_publisher);
        long read = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "ingest.body.bytes" && ReferenceEquals(instrument.Meter.Scope, host.Services.GetRequiredService<IMeterFactory>()))
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, bytes, _, _) => Interlocked.Add(ref read, bytes));
        listener.Start();
        var parts = Enumerable.Range(0, 100).Select(i => TestEvents.Bytes(TestEvents.Lines(i * 1000, 1000)));

        var post = host.PostAsync(new GeneratedContent(parts), "application/x-ndjson");
        await Eventually.TrueAsync(() => _publisher.Waiting == 1, "the first chunk is being published");
        long seen;
        do
        {
            seen = Interlocked.Read(ref read);
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
        while (seen != Interlocked.Read(ref read));
        gate.SetResult();

        Assert.InRange(seen, 1, 2 << 20);
        Assert.Equal(100_000, (await post).Accepted);
        Assert.True(Interlocked.Read(ref read) > 10 << 20);
    }

    [Theory]
    [InlineData("Ingest:MaxBodyBytes", "0", "MaxBodyBytes")]
    [InlineData("Ingest:MaxEventBytes", "1", "MaxEventBytes")]
    [InlineData("Ingest:MaxBytesInFlight", "1048575", "MaxBytesInFlight")]
    [InlineData("Ingest:MaxBytesInFlight", "2000000", "MaxBytesInFlight")]
    [InlineData("Ingest:MaxConcurrentRequests", "0", "MaxConcurrentRequests")]
    [InlineData("Ingest:CardData", "shred", "Ingest:CardData")]
    [InlineData("Ingest:CardData", "7", "CardData")]
    public async Task Start_WrongOption_FailsAndNamesIt(string key, string value, string named)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => IngestHost.StartAsync(_publisher, (key, value)));

        Assert.Contains(named, failure.Message);
    }

    [Theory]
    [InlineData("Idempotency-Key", "")]
    [InlineData("Idempotency-Key", "\"unfinished\\\"")]
    [InlineData("Idempotency-Key", "tab\tinside")]
    [InlineData("X-Correlation-Id", "tab\tinside")]
    public async Task Post_UnusableHeader_Answers400AndNamesIt(string header, string value)
    {
        await using var host = await IngestHost.StartAsync(_publisher);

        var answer = await host.PostAsync(TestEvents.Valid(1), "application/json", (header, value));

        Assert.Equal(400, answer.Status);
        Assert.Equal(header, answer.Json.GetProperty("errors")[0].GetProperty("field").GetString());
        Assert.Equal(400, (await host.PostAsync(TestEvents.Valid(1), "application/json", (header, new string('k', 256)))).Status);
        Assert.Equal(202, (await host.PostAsync(TestEvents.Valid(1), "application/json", (header, new string('k', 255)))).Status);
    }
}
