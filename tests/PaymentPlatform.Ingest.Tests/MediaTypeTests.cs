using System.IO.Compression;
using System.Text;

namespace PaymentPlatform.Ingest.Tests;

public sealed class MediaTypeTests : IAsyncLifetime
{
    private readonly InMemoryPublisher _publisher = new();
    private IngestHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await IngestHost.StartAsync(_publisher);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/JSON;charset=\"UTF-8\"")]
    public async Task Post_JsonObject_PublishesItsExactBytes(string mediaType)
    {
        var answer = await _host.PostAsync("\r\n  " + TestEvents.Valid(1, ",\"x\" : [ 1 ]") + " \n", mediaType);

        Assert.Equal(202, answer.Status);
        Assert.Equal("application/json", answer.MediaType);
        Assert.Equal("{\"accepted\":1,\"rejected_count\":0,\"rejected\":[]}", answer.Text);
        Assert.Equal(TestEvents.Valid(1, ",\"x\" : [ 1 ]"), Assert.Single(_publisher.Messages).Text);
    }

    [Fact]
    public async Task Post_JsonArray_PublishesTheExactBytesOfEachElement()
    {
        var elements = Enumerable.Range(0, 2500).Select(i => TestEvents.Valid(i, i % 2 == 0 ? ", \"metadata\" : {\"n\": [1, {}]}" : null)).ToArray();

        var answer = await _host.PostAsync("[ " + string.Join(" ,\r\n\t", elements) + "\n]\n", "application/json");

        Assert.Equal(202, answer.Status);
        Assert.Equal(2500, answer.Accepted);
        Assert.Equal(elements, _publisher.Messages.Select(m => m.Text));
        Assert.Equal(3, _publisher.Calls.Count);
        var requestId = _publisher.Messages[0].Id[..36];
        Assert.Equal(Enumerable.Range(0, 2500).Select(i => $"{requestId}-{i}"), _publisher.Messages.Select(m => m.Id));
        Assert.Equal(7, Guid.Parse(requestId).Version);
    }

    [Fact]
    public async Task Post_EmptyArray_IsAcceptedWithNothing()
    {
        var answer = await _host.PostAsync("[]", "application/json");

        Assert.Equal(202, answer.Status);
        Assert.Equal(0, answer.Accepted);
        Assert.Empty(_publisher.Calls);
    }

    [Fact]
    public async Task Post_Ndjson_KeepsLinesWithoutTheirEnds()
    {
        string[] lines = [TestEvents.Valid(1), "  " + TestEvents.Valid(2) + "\t", TestEvents.Valid(3), TestEvents.Valid(4)];
        var body = $"\uFEFF{lines[0]}\r\n\r\n{lines[1]}\n   \n\n{lines[2]}\r\n{lines[3]}";

        var answer = await _host.PostAsync(body, "application/x-ndjson");

        Assert.Equal(202, answer.Status);
        Assert.Equal(4, answer.Accepted);
        Assert.Equal(lines, _publisher.Messages.Select(m => m.Text));
        Assert.Equal(["0", "1", "2", "3"], _publisher.Messages.Select(m => m.Id[37..]));
    }

    [Fact]
    public async Task Post_NdjsonWithBadLines_RejectsThemAloneByIndex()
    {
        byte[] notUtf8 = [.. TestEvents.Bytes("{\"transaction_id\":\""), 0xC3, 0x28, .. TestEvents.Bytes("\"}\n")];
        byte[] body =
        [
            .. TestEvents.Bytes(TestEvents.Valid(0) + "\n\n{not json}\n" + TestEvents.Invalid(2) + "\n[1]\n"),
            .. notUtf8,
            .. TestEvents.Bytes("\"" + new string('x', 400_000) + "\"\n" + TestEvents.Valid(6) + "\n"),
        ];

        var answer = await _host.PostAsync(body, "application/x-ndjson");

        Assert.Equal(202, answer.Status);
        Assert.Equal(2, answer.Accepted);
        Assert.Equal(5, answer.RejectedCount);
        Assert.Equal([1, 2, 3, 4, 5], answer.Rejected.EnumerateArray().Select(r => r.GetProperty("index").GetInt32()));
        Assert.Equal("json", answer.FirstConstraint(0));
        Assert.Equal("currency", answer.FirstConstraint(1));
        Assert.Equal("tx-2", answer.Rejected[1].GetProperty("transaction_id").GetString());
        Assert.Equal("object", answer.FirstConstraint(2));
        Assert.Equal("size", answer.FirstConstraint(4));
        Assert.Equal("400002 bytes", answer.Rejected[4].GetProperty("errors")[0].GetProperty("actual").GetString());
        Assert.Equal(["tx-0", "tx-6"], _publisher.Messages.Select(m => System.Text.Json.JsonDocument.Parse(m.Body).RootElement.GetProperty("transaction_id").GetString()));
    }

    [Fact]
    public async Task Post_AllRejected_Answers422InTheSameShape()
    {
        var answer = await _host.PostAsync(TestEvents.Invalid(1) + "\n" + TestEvents.Invalid(2), "application/x-ndjson");

        Assert.Equal(422, answer.Status);
        Assert.Equal("application/json", answer.MediaType);
        Assert.Equal(0, answer.Accepted);
        Assert.Equal(2, answer.RejectedCount);
        Assert.Equal(["field", "constraint", "expected", "actual", "message"], answer.Rejected[0].GetProperty("errors")[0].EnumerateObject().Select(p => p.Name));
        Assert.Empty(_publisher.Calls);
    }

    [Fact]
    public async Task Post_ManyRejections_ListsTheFirstThousandAndCountsAll()
    {
        var lines = string.Concat(Enumerable.Range(0, 3500).Select(i => (i % 2 == 0 ? TestEvents.Invalid(i) : TestEvents.Valid(i)) + "\n"));

        var answer = await _host.PostAsync(lines, "application/x-ndjson");

        Assert.Equal(1750, answer.Accepted);
        Assert.Equal(1750, answer.RejectedCount);
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => i * 2), answer.Rejected.EnumerateArray().Select(r => r.GetProperty("index").GetInt32()));
    }

    [Fact]
    public async Task Post_Event_CarriesKeyCorrelationAndTraceContext()
    {
        var body = TestEvents.Valid(1) + "\n" + TestEvents.Valid(2, ",\"correlation_id\":\"own-\\u00e9\"") + "\n" + TestEvents.Valid(3).Replace(",\"customer_id\":\"CUST-3\"", "");

        await _host.PostAsync(
            body, "application/x-ndjson", ("X-Correlation-Id", "corr-1"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("tracestate", "a=b"));

        var messages = _publisher.Messages;
        Assert.Equal(["corr-1", "own-é", "corr-1"], messages.Select(m => m.CorrelationId));
        Assert.Equal(["CUST-1", "CUST-2", "tx-3"], messages.Select(m => m.Key));
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", messages[0].Headers["traceparent"]);
        Assert.Equal("a=b", messages[0].Headers["tracestate"]);
        Assert.Same(messages[0].Headers, messages[2].Headers);

        await _host.PostAsync(TestEvents.Valid(4), "application/json");
        Assert.Equal(_publisher.Messages[3].Id[..36], _publisher.Messages[3].CorrelationId);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/x-ndjson; charset=iso-8859-1")]
    public async Task Post_OtherMediaType_Answers415(string? mediaType)
    {
        var answer = await _host.PostAsync(TestEvents.Bytes(TestEvents.Valid(1)), mediaType);

        Assert.Equal(415, answer.Status);
        Assert.Equal("application/problem+json", answer.MediaType);
        Assert.Contains("application/x-ndjson", answer.Json.GetProperty("detail").GetString());
        Assert.Empty(_publisher.Messages);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Post_CompressedBody_IsTaken(string encoding)
    {
        var ndjson = await _host.PostAsync(Compress(TestEvents.Lines(0, 5000), encoding), "application/x-ndjson", ("Content-Encoding", encoding));
        var json = await _host.PostAsync(Compress(TestEvents.Valid(7), encoding), "application/json", ("Content-Encoding", encoding));

        Assert.Equal(202, ndjson.Status);
        Assert.Equal(5000, ndjson.Accepted);
        Assert.Equal(202, json.Status);
        Assert.Equal(5001, _publisher.Count);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task Post_CompressedBodyThatIsCutOffOrWrong_Answers400(string encoding)
    {
        var cut = await _host.PostAsync(Compress(TestEvents.Lines(0, 900), encoding)[..^20], "application/x-ndjson", ("Content-Encoding", encoding));
        var wrong = await _host.PostAsync(TestEvents.Valid(1), "application/json", ("Content-Encoding", encoding));

        Assert.Equal(400, cut.Status);
        Assert.Equal(400, wrong.Status);
        Assert.Equal("application/problem+json", wrong.MediaType);
        Assert.Empty(_publisher.Messages);
    }

    [Fact]
    public async Task Post_UnknownContentEncoding_Answers415()
    {
        var answer = await _host.PostAsync(TestEvents.Valid(1), "application/json", ("Content-Encoding", "compress"));

        Assert.Equal(415, answer.Status);
        Assert.Contains("gzip", answer.Json.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Post_TheSampleFile_IsAcceptedWhole()
    {
        var sample = SampleFile();

        var answer = await _host.PostAsync(sample, "application/x-ndjson");

        Assert.Equal(202, answer.Status);
        Assert.Equal(0, answer.RejectedCount);
        Assert.Equal(100, answer.Accepted);
        Assert.Equal(Encoding.UTF8.GetString(sample).TrimEnd('\n').Split('\n'), _publisher.Messages.Select(m => m.Text));
    }

    private static byte[] Compress(string text, string encoding)
    {
        using var output = new MemoryStream();
        using (Stream stream = encoding switch
        {
            "gzip" => new GZipStream(output, CompressionLevel.Fastest),
            "br" => new BrotliStream(output, CompressionLevel.Fastest),
            _ => new ZLibStream(output, CompressionLevel.Fastest),
        })
            stream.Write(TestEvents.Bytes(text));
        return output.ToArray();
    }

    /// <summary>The real file where it lies beside the repository, else lines of it that are kept here, repeated to a hundred.</summary>
    private static byte[] SampleFile()
    {
        foreach (var start in new[] { AppContext.BaseDirectory, Directory.GetCurrentDirectory() })
        {
            for (var directory = new DirectoryInfo(start); directory is not null; directory = directory.Parent)
            {
                var file = Path.Combine(directory.FullName, "shared", "data", "transactions.jsonl");
                if (File.Exists(file))
                    return File.ReadAllBytes(file);
            }
        }

        var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "sample.jsonl"));
        return Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 100).Select(i => lines[i % lines.Length] + "\n")));
    }
}
