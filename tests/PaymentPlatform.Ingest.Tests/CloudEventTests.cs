using Microsoft.Extensions.Logging;

namespace PaymentPlatform.Ingest.Tests;

public sealed class CloudEventTests : IAsyncLifetime
{
    private const string One = "application/cloudevents+json";
    private const string Batch = "application/cloudevents-batch+json";

    private readonly InMemoryPublisher _publisher = new();
    private IngestHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await IngestHost.StartAsync(_publisher);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Post_OneCloudEvent_PublishesItsDataUnderItsId()
    {
        var data = "{ " + TestEvents.Valid(1)[1..];

        var answer = await _host.PostAsync(TestEvents.CloudEvent("ev-\\u00e9/1", data), One);

        Assert.Equal(202, answer.Status);
        var message = Assert.Single(_publisher.Messages);
        Assert.Equal("ev-é/1", message.Id);
        Assert.Equal(data, message.Text);
    }

    [Fact]
    public async Task Post_DataInBase64_PublishesWhatItDecodesTo()
    {
        var data = TestEvents.Valid(1) + "\n";
        var body = $$"""{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"{{Convert.ToBase64String(TestEvents.Bytes(data))}}"}""";

        var answer = await _host.PostAsync(body, One);

        Assert.Equal(202, answer.Status);
        Assert.Equal(data, Assert.Single(_publisher.Messages).Text);
    }

    [Fact]
    public async Task Post_Batch_RejectsBadOnesAloneAndTakesTheRest()
    {
        string[] events =
        [
            TestEvents.CloudEvent("0", TestEvents.Valid(0)),
            "17",
            TestEvents.CloudEvent("2", TestEvents.Invalid(2)),
            """{"specversion":"1.0","source":"s","type":"t","data":{}}""",
            """{"specversion":"0.3","id":"4","source":"s","type":"t","data":{}}""",
            """{"specversion":"1.0","id":"5","source":"s","type":"t"}""",
            """{"specversion":"1.0","id":"6","source":"s","type":"t","data_base64":"***"}""",
            """{"specversion":"1.0","id":"7","source":"s","type":"t","data":{},"data_base64":"e30="}""",
            """{"specversion":"1.0","id":"8","id":"8","source":"s","type":"t","data":{}}""",
            """{"specversion":"1.0","id":9,"source":"s","type":"t","data":{}}""",
            """{"specversion":"1.0","id":"\ud800","source":"s","type":"t","data":{}}""",
            """{"specversion":"1.0","id":"\u0000","source":"s","type":"t","data":{}}""",
            """{"specversion":"1.0","id":"12","source":"","type":"t","data":{}}""",
            TestEvents.CloudEvent("13", TestEvents.Valid(13)),
        ];

        var answer = await _host.PostAsync($"[{string.Join(",", events)}]", Batch);

        Assert.True(answer.Status == 202, string.Join("\n", _host.Logs.Lines.Where(l => l.Level == LogLevel.Error)));
        Assert.Equal(2, answer.Accepted);
        Assert.Equal(Enumerable.Range(1, 12), answer.Rejected.EnumerateArray().Select(r => r.GetProperty("index").GetInt32()));
        Assert.Equal(
            ["object", "currency", "required", "type", "required", "encoding", "duplicate", "duplicate", "type", "encoding", "type", "type"],
            Enumerable.Range(0, 12).Select(answer.FirstConstraint));
        Assert.Equal(["0", "13"], _publisher.Messages.Select(m => m.Id));
    }

    [Fact]
    public async Task Post_SameSourceAndIdAgain_CountsOnceAndIsAnsweredAlike()
    {
        var body = "[" + string.Join(",", Enumerable.Range(0, 50).Select(i => TestEvents.CloudEvent($"{i}", TestEvents.Valid(i)))) + "]";

        var answers = new List<IngestHost.Answer> { await _host.PostAsync(body, Batch) };
        answers.AddRange(await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _host.PostAsync(body, Batch))));
        var single = await _host.PostAsync(TestEvents.CloudEvent("7", TestEvents.Valid(7)), One);

        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        Assert.Equal(50, answers[0].Accepted);
        Assert.Equal(1, single.Accepted);
        Assert.Equal(50, _publisher.Count);
    }

    [Fact]
    public async Task Post_SameIdOfAnotherSource_IsAnotherEvent()
    {
        await _host.PostAsync(TestEvents.CloudEvent("1", TestEvents.Valid(1), "a"), One);
        await _host.PostAsync(TestEvents.CloudEvent("1", TestEvents.Valid(1), "b"), One);

        Assert.Equal(2, _publisher.Count);
    }

    [Fact]
    public async Task Post_OtherDataUnderTheSameSourceAndId_IsARejectionOfThatEvent()
    {
        await _host.PostAsync(TestEvents.CloudEvent("1", TestEvents.Valid(1)), One);

        var alone = await _host.PostAsync(TestEvents.CloudEvent("1", TestEvents.Valid(2)), One);
        var batch = await _host.PostAsync($"[{TestEvents.CloudEvent("0", TestEvents.Invalid(0))},{TestEvents.CloudEvent("1", TestEvents.Valid(3))},{TestEvents.CloudEvent("2", TestEvents.Valid(4))},{TestEvents.CloudEvent("3", TestEvents.Invalid(5))}]", Batch);

        Assert.Equal(422, alone.Status);
        Assert.Equal("idempotency", alone.FirstConstraint());
        Assert.Equal("tx-2", alone.Rejected[0].GetProperty("transaction_id").GetString());
        Assert.Equal(202, batch.Status);
        Assert.Equal(1, batch.Accepted);
        Assert.Equal([0, 1, 3], batch.Rejected.EnumerateArray().Select(r => r.GetProperty("index").GetInt32()));
        Assert.Equal(["currency", "idempotency", "currency"], Enumerable.Range(0, 3).Select(batch.FirstConstraint));
        Assert.Equal([TestEvents.Valid(1), TestEvents.Valid(4)], _publisher.Messages.Select(m => m.Text));
    }

    [Fact]
    public async Task Post_RepeatsWithinABatch_AreTakenOnce()
    {
        var batch = $"[{TestEvents.CloudEvent("1", TestEvents.Valid(1))},{TestEvents.CloudEvent("1", TestEvents.Valid(1))},{TestEvents.CloudEvent("1", TestEvents.Valid(2))},{TestEvents.CloudEvent("2", TestEvents.Valid(3))}]";

        var first = await _host.PostAsync(batch, Batch);
        var second = await _host.PostAsync(batch, Batch);

        Assert.Equal(3, first.Accepted);
        Assert.Equal(2, first.Rejected[0].GetProperty("index").GetInt32());
        Assert.Equal("idempotency", first.FirstConstraint());
        Assert.Equal("tx-2", first.Rejected[0].GetProperty("transaction_id").GetString());
        Assert.Equal(first, second);
        Assert.Equal([TestEvents.Valid(1), TestEvents.Valid(3)], _publisher.Messages.Select(m => m.Text));
    }

    [Fact]
    public async Task Post_RepeatsWithinABatchOfOtherDataThanBefore_AreAllRejected()
    {
        await _host.PostAsync(TestEvents.CloudEvent("1", TestEvents.Valid(0)), One);

        var answer = await _host.PostAsync($"[{TestEvents.CloudEvent("1", TestEvents.Valid(1))},{TestEvents.CloudEvent("2", TestEvents.Valid(2))},{TestEvents.CloudEvent("1", TestEvents.Valid(1))}]", Batch);

        Assert.Equal(1, answer.Accepted);
        Assert.Equal([0, 2], answer.Rejected.EnumerateArray().Select(r => r.GetProperty("index").GetInt32()));
    }

    [Fact]
    public async Task Post_BatchWithAMessageTooLargeForTheTransport_KeepsClaimsAndMessagesTogether()
    {
        _publisher.MaxMessageBytes = 1000;
        var large = TestEvents.Valid(1, $",\"pad\":\"{new string('p', 1000)}\"");
        var batch = $"[{TestEvents.CloudEvent("0", TestEvents.Valid(0))},{TestEvents.CloudEvent("1", large)},{TestEvents.CloudEvent("2", TestEvents.Valid(2))},{TestEvents.CloudEvent("1", large)},{TestEvents.CloudEvent("2", TestEvents.Valid(2))}]";

        var first = await _host.PostAsync(batch, Batch);
        var second = await _host.PostAsync(batch, Batch);

        Assert.Equal(3, first.Accepted);
        Assert.Equal([1, 3], first.Rejected.EnumerateArray().Select(r => r.GetProperty("index").GetInt32()));
        Assert.Equal(first, second);
        Assert.Equal(["0", "2"], _publisher.Messages.Select(m => m.Id));
    }

    [Fact]
    public async Task Post_BatchUnderAnIdempotencyKey_IsTakenOnceAsAWhole()
    {
        var batch = $"[{TestEvents.CloudEvent("1", TestEvents.Valid(1))},{TestEvents.CloudEvent("2", TestEvents.Invalid(2))}]";

        var first = await _host.PostAsync(batch, Batch, ("Idempotency-Key", "k"));
        var second = await _host.PostAsync(batch, Batch, ("Idempotency-Key", "k"));

        Assert.Equal(202, first.Status);
        Assert.Equal(first, second);
        Assert.Equal("1", Assert.Single(_publisher.Messages).Id);
        Assert.All(_publisher.Calls, claims => Assert.Equal("k:k", Assert.Single(claims).Key));
    }

    [Fact]
    public async Task Post_ConflictsInOneChunkWhileTheNextIsEvaluated_PublishesEveryEventAsItWasSent()
    {
        const int chunk = 1000;
        // Settles a chunk on the pool, while the request's own thread evaluates the next.
        _publisher.Before = async () => await Task.Yield();
        string Body(IEnumerable<(string Id, int Number)> events) => "[" + string.Join(",", events.Select(e => TestEvents.CloudEvent(e.Id, TestEvents.Valid(e.Number)))) + "]";
        await _host.PostAsync(Body(Enumerable.Range(0, chunk).Select(i => ($"known-{i}", 1_000_000 + i))), Batch);

        for (var round = 0; round < 20; round++)
        {
            var first = round * chunk;
            var answer = await _host.PostAsync(
                Body([.. Enumerable.Range(0, chunk).Select(i => ($"known-{i}", 2_000_000 + i)), .. Enumerable.Range(first, chunk).Select(i => ($"{i}", i))]), Batch);

            Assert.Equal(202, answer.Status);
            Assert.Equal(chunk, answer.Accepted);
            Assert.Equal(Enumerable.Range(0, chunk).Select(i => $"tx-{2_000_000 + i}"), answer.Rejected.EnumerateArray().Select(r => r.GetProperty("transaction_id").GetString()));
            Assert.Equal(Enumerable.Range(first, chunk).Select(i => (Id: $"{i}", Text: TestEvents.Valid(i))), _publisher.Messages.Skip(chunk + first).Select(m => (m.Id, m.Text)));
        }
    }

    [Theory]
    [InlineData("\\ud800")]
    [InlineData("\\uDFFFid")]
    [InlineData("\\ud800\\ud800")]
    [InlineData("d\\ud83d\\ude00")]
    public async Task Post_AttributeNameWithASurrogate_IsAnUnknownAttribute(string name)
    {
        var data = TestEvents.Valid(1);
        var body = TestEvents.CloudEvent("1", data).Replace("{\"specversion\"", $"{{\"{name}\":1,\"specversion\"");

        var answer = await _host.PostAsync(body, One);

        Assert.Equal(202, answer.Status);
        Assert.Equal(data, Assert.Single(_publisher.Messages).Text);
    }

    [Fact]
    public async Task Post_AttributeNameInEscapes_IsThatAttribute()
    {
        var answer = await _host.PostAsync(TestEvents.CloudEvent("7", TestEvents.Valid(1)).Replace("\"id\"", "\"\\u0069d\""), One);

        Assert.Equal(202, answer.Status);
        Assert.Equal("7", Assert.Single(_publisher.Messages).Id);
    }

    [Fact]
    public async Task Post_MangledEnvelopes_AreTakenOrRefusedAndNeverAFault()
    {
        string[] pieces =
        [
            "\\ud800", "\\uDC00", "\\ud83d\\ude00", "\\u0000", "\\u0069", "\\\\ud800", "\\n", "\\", "\"", "{", "}", "[", "]", ":", ",", "null", "1e999", "-", "true", "é", "\u0001",
            "\"id\":", "\"\\ud800\":1,", "\"data\":", "\"data_base64\":\"e30=\",", "\"source\":\"\\udfff\",", "\"type\":{},", "\"specversion\":[],",
        ];
        var random = new Random(20251208);
        var statuses = new Dictionary<int, int>();
        for (var i = 0; i < 1500; i++)
        {
            var bytes = TestEvents.Bytes(TestEvents.CloudEvent($"{i}", TestEvents.Valid(i))).ToList();
            for (var edits = random.Next(1, 4); edits > 0; edits--)
            {
                var at = random.Next(bytes.Count);
                switch (random.Next(4))
                {
                    case 0:
                        bytes[at] = (byte)random.Next(256);
                        break;
                    case 1:
                        bytes.RemoveRange(at, Math.Min(random.Next(1, 8), bytes.Count - at));
                        break;
                    default:
                        bytes.InsertRange(at, TestEvents.Bytes(pieces[random.Next(pieces.Length)]));
                        break;
                }
            }

            var isBatch = i % 2 == 0;
            var answer = await _host.PostAsync(isBatch ? [(byte)'[', .. bytes, (byte)']'] : [.. bytes], isBatch ? Batch : One);

            Assert.True(answer.Status is >= 200 and < 300 or >= 400 and < 500, $"{answer.Status} for {Convert.ToBase64String([.. bytes])}");
            statuses[answer.Status] = statuses.GetValueOrDefault(answer.Status) + 1;
        }

        Assert.DoesNotContain(_host.Logs.Lines, line => line.Level == LogLevel.Error);
        // It reaches past the JSON check, both ways.
        Assert.All([202, 400, 422], status => Assert.InRange(statuses.GetValueOrDefault(status), 20, 1500));
    }
}
