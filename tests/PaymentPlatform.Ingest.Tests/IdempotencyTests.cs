using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Ingest.Tests;

public sealed class IdempotencyTests : IAsyncLifetime
{
    private const string Ndjson = "application/x-ndjson";

    private readonly InMemoryPublisher _publisher = new();
    private IngestHost _host = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _host = await IngestHost.StartAsync(_publisher);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("application/json")]
    [InlineData(Ndjson)]
    public async Task Post_SameBodyAgain_GetsTheSameAnswerAndCountsOnce(string mediaType)
    {
        var events = Enumerable.Range(0, 4500).Select(i => i % 3 == 0 ? TestEvents.Invalid(i) : TestEvents.Valid(i)).ToArray();
        var body = mediaType == Ndjson ? string.Join("\n", events) : $"[{string.Join(",", events)}]";

        var first = await PostAsync(body, "key-1", mediaType);
        var second = await PostAsync(body, "key-1", mediaType);
        var quoted = await PostAsync(body, "\"key-1\"", mediaType);

        Assert.Equal(202, first.Status);
        Assert.Equal(3000, first.Accepted);
        Assert.Equal(1500, first.RejectedCount);
        Assert.Equal(1000, first.Rejected.GetArrayLength());
        Assert.Equal(first, second);
        Assert.Equal(first, quoted);
        Assert.Equal(3000, _publisher.Count);
        Assert.Equal(8, Guid.Parse(_publisher.Messages[0].Id[..36]).Version);
    }

    [Fact]
    public async Task Post_AllRejectedAgain_GetsThe422Again()
    {
        var first = await PostAsync(TestEvents.Invalid(1), "key-1");
        var second = await PostAsync(TestEvents.Invalid(1), "key-1");
        var other = await PostAsync(TestEvents.Valid(1), "key-1");

        Assert.Equal(422, first.Status);
        Assert.Equal(first, second);
        Assert.Equal(422, other.Status);
        Assert.Equal("application/problem+json", other.MediaType);
        Assert.Empty(_publisher.Messages);
    }

    [Fact]
    public async Task Post_ManyAtOnce_TakesTheBodyOnceAndAnswersAllAlike()
    {
        var body = TestEvents.Lines(0, 5000) + TestEvents.Invalid(5000);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PostAsync(body, "key-1")));

        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        Assert.Equal(5000, answers[0].Accepted);
        Assert.Equal(5000, _publisher.Count);
        Assert.Equal(5000, _publisher.Messages.Select(m => m.Id).Distinct().Count());
    }

    [Fact]
    public async Task Post_OtherBodyUnderTheKey_Answers422AndPublishesNothing()
    {
        await PostAsync(TestEvents.Lines(0, 10), "key-1");

        var other = await PostAsync(TestEvents.Lines(1, 10), "key-1");
        var sameBytesOtherType = await PostAsync(TestEvents.Lines(0, 1), "key-2", Ndjson) is { Status: 202 } ? await PostAsync(TestEvents.Lines(0, 1), "key-2", "application/json") : null;

        Assert.Equal(422, other.Status);
        Assert.Equal("application/problem+json", other.MediaType);
        Assert.Equal("Idempotency key used with another body", other.Json.GetProperty("title").GetString());
        Assert.Equal(422, sameBytesOtherType?.Status);
        Assert.Equal(11, _publisher.Count);
    }

    [Theory]
    [InlineData(1000, 1001)]
    [InlineData(1001, 1000)]
    [InlineData(1000, 2500)]
    [InlineData(2500, 1000)]
    [InlineData(2500, 2501)]
    [InlineData(5, 6)]
    public async Task Post_PrefixOrContinuationOfTheBody_IsAnotherBody(int first, int second)
    {
        Assert.Equal(202, (await PostAsync(TestEvents.Lines(0, first), "key-1")).Status);

        var answer = await PostAsync(TestEvents.Lines(0, second), "key-1");

        Assert.Equal(422, answer.Status);
        Assert.Equal("application/problem+json", answer.MediaType);
        Assert.Equal(first, _publisher.Count);
    }

    [Fact]
    public async Task Post_BlankLineMore_IsAnotherBody()
    {
        await PostAsync(TestEvents.Lines(0, 1000), "key-1");

        Assert.Equal(422, (await PostAsync(TestEvents.Lines(0, 1000) + "\n", "key-1")).Status);
    }

    [Fact]
    public async Task Post_ConnectionCutBeforeTheAnswer_IsTakenOnce()
    {
        var gate = new TaskCompletionSource();
        _publisher.Before = () => gate.Task;
        var body = TestEvents.Bytes(TestEvents.Lines(0, 1500));
        using (var socket = await _host.OpenRawAsync(Ndjson, body.Length, "key-1"))
        {
            await socket.SendAsync(body, Cancelled);
            await Eventually.TrueAsync(() => _publisher.Waiting == 1, "the first chunk is being published");
        }

        gate.SetResult();
        var retry = await PostAsync(Encoding.UTF8.GetString(body), "key-1");

        Assert.Equal(202, retry.Status);
        Assert.Equal(1500, retry.Accepted);
        Assert.Equal(1500, _publisher.Messages.Select(m => m.Text).Distinct().Count());
        Assert.Equal(1500, _publisher.Count);
    }

    [Fact]
    public async Task Post_BodyCutOffInItsMiddle_PublishesWholeChunksOnlyAndTheRetryTheRest()
    {
        var body = TestEvents.Bytes(TestEvents.Lines(0, 3500));
        var cut = TestEvents.Bytes(TestEvents.Lines(0, 2400)).Length + 17;
        using (var socket = await _host.OpenRawAsync(Ndjson, body.Length, "key-1"))
        {
            await socket.SendAsync(body.AsMemory(0, cut), Cancelled);
            await Eventually.TrueAsync(() => _publisher.Count == 2000, "both whole chunks are published");
            socket.Shutdown(SocketShutdown.Both);
        }

        await Eventually.TrueAsync(() => _host.Budget.Used == 0, "the cut request is over");
        Assert.Equal(2000, _publisher.Count);
        Assert.Contains(_host.Logs.Lines, line => line.Level == LogLevel.Debug && line.Text.Contains("2000 events of the request are in the stream"));

        var retry = await PostAsync(Encoding.UTF8.GetString(body), "key-1");

        Assert.Equal(202, retry.Status);
        Assert.Equal(3500, retry.Accepted);
        Assert.Equal(Enumerable.Range(0, 3500).Select(i => TestEvents.Valid(i)), _publisher.Messages.Select(m => m.Text));
    }

    [Fact]
    public async Task Post_BodyCutOffWithoutAKey_KeepsTheWholeChunks()
    {
        var body = TestEvents.Bytes(TestEvents.Lines(0, 3500));
        using (var socket = await _host.OpenRawAsync(Ndjson, body.Length))
        {
            await socket.SendAsync(body.AsMemory(0, body.Length - 1), Cancelled);
            await Eventually.TrueAsync(() => _publisher.Count == 3000, "the whole chunks are published");
        }

        await Eventually.TrueAsync(() => _host.Budget.Used == 0, "the cut request is over");
        Assert.Equal(3000, _publisher.Count);
    }

    [Fact]
    public async Task Post_ArrivingInOtherPieces_IsCutIntoTheSameChunks()
    {
        var random = new Random(7);
        var lines = Enumerable.Range(0, 2600).Select(i => i % 500 == 3
            ? "{\"pad\":\"" + new string('x', random.Next(200_000, 700_000)) + "\"}"
            : TestEvents.Valid(i, $",\"pad\":\"{new string('p', random.Next(0, 2000))}\""));
        var body = TestEvents.Bytes("\uFEFF" + string.Join("\r\n", lines));
        await PostAsync(Encoding.UTF8.GetString(body), "key-1");
        var whole = Claims();

        using (var socket = await _host.OpenRawAsync(Ndjson, body.Length, "key-2"))
        {
            for (var sent = 0; sent < body.Length;)
            {
                var size = Math.Min(body.Length - sent, random.Next(4) == 0 ? random.Next(1, 40) : random.Next(1, 90_000));
                await socket.SendAsync(body.AsMemory(sent, size), Cancelled);
                sent += size;
                if (random.Next(10) == 0)
                    await Task.Delay(1, Cancelled);
            }

            Assert.StartsWith("HTTP/1.1 202", await ReceiveHeadAsync(socket));
        }

        var pieces = Claims()[whole.Count..];
        Assert.True(whole.Count > 3);
        Assert.Equal(whole, pieces);

        IReadOnlyList<(int, string, int)> ClaimsOf() => [.. _publisher.Calls.Select(c => (c[0].Chunk, Convert.ToHexString(c[0].BodyHash.Span), c[0].MessageCount))];
        List<(int, string, int)> Claims() => [.. ClaimsOf()];
    }

    [Fact]
    public async Task Post_StreamFailsInMidBody_RetryTakesEachEventOnce()
    {
        var calls = 0;
        _publisher.Before = () => ++calls == 3 ? throw new PaymentPlatform.Streaming.StreamUnavailableException("down") : Task.CompletedTask;
        var body = TestEvents.Lines(0, 4500);

        var failed = await PostAsync(body, "key-1");
        var retry = await PostAsync(body, "key-1");

        Assert.Equal(503, failed.Status);
        Assert.Equal(2000, failed.Accepted);
        Assert.Equal(2000, failed.Json.GetProperty("next_index").GetInt64());
        Assert.NotNull(failed.RetryAfter);
        Assert.Equal(202, retry.Status);
        Assert.Equal(4500, retry.Accepted);
        Assert.Equal(4500, _publisher.Count);
    }

    private Task<IngestHost.Answer> PostAsync(string body, string key, string mediaType = Ndjson) => _host.PostAsync(body, mediaType, ("Idempotency-Key", key));

    private static async Task<string> ReceiveHeadAsync(Socket socket)
    {
        var buffer = new byte[8192];
        var text = "";
        while (!text.Contains("\r\n\r\n"))
        {
            var read = await socket.ReceiveAsync(buffer);
            if (read == 0)
                break;
            text += Encoding.UTF8.GetString(buffer, 0, read);
        }

        return text;
    }
}
