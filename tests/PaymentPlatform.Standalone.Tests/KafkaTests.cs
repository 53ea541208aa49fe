using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>The platform over Kafka: librdkafka's mock cluster lives in this process, so that its log outlives the platform's processes.</summary>
public sealed class KafkaTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("platform-kafka-").FullName;

    [Fact]
    public async Task Run_OverKafkaWithWorkersKilled_ArchivesAndCountsEachEventOnce()
    {
        var cancellation = TestContext.Current.CancellationToken;
        // As the mock cluster is by itself: it tells no topic ids.
        using var broker = new MockKafka(describesTopics: false);
        var kafka = $"-- --Streaming:Transport=Kafka --ConnectionStrings:payments={broker.Address} --Streaming:LeaseDuration=00:00:06 --Archiver:FlushAge=00:00:01";
        await using var hub = await PlatformProcess.RunAsync(_data, $"--services ingest,query --simulator off {kafka}", cancellationToken: cancellation);
        var joined = $"--services archiver,metrics --simulator off --connections {hub.ConnectionsFile} {kafka}";
        var lines = (await File.ReadAllTextAsync(TestPaths.RealEvents(), cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var worker = PlatformProcess.Start(_data, joined);
        try
        {
            var traffic = new Traffic(hub.Url, 500, seed: 9);
            using var stop = new CancellationTokenSource();
            var sending = Task.Run(() => traffic.RunAsync(stop.Token), cancellation);
            await PipelineAsync(hub, items => items.Count > 0 && items.TrueForAll(i => Number(i, "position") > 0), cancellation);
            for (var kill = 0; kill < 2; kill++)
            {
                await worker.KillAsync();
                await worker.DisposeAsync();
                var positions = await PipelineAsync(hub, _ => true, cancellation);
                worker = PlatformProcess.Start(_data, joined);
                await PipelineAsync(hub, items => items.Sum(i => Number(i, "position")) > positions.Sum(i => Number(i, "position")), cancellation);
            }

            await stop.CancelAsync();
            await sending;
            await PostAsync(hub.Url, lines, cancellation);

            var drained = await PipelineAsync(hub, items => items.TrueForAll(i => Number(i, "lag") == 0) && items.Sum(i => Number(i, "end")) == 2 * (traffic.Accepted.Count + lines.Length), cancellation);
            Assert.Equal(["archiver", "metrics"], drained.Select(i => i.GetProperty("consumer_group").GetString()!).Distinct().Order());
            Assert.Equal(8, drained.Count);
            var connections = await hub.ConnectionsAsync(cancellation);
            using var archive = await Archive.OpenAsync(connections, cancellation);
            Assert.Equal(traffic.Accepted.Count + lines.Length, archive.Count("SELECT count(*) FROM events"));
            Assert.Equal(traffic.Accepted.Count + lines.Length, archive.Count("SELECT count(DISTINCT (stream_log_id, stream_partition, stream_offset)) FROM events"));
            Assert.Equal(traffic.Accepted.Count + lines.Length, archive.Count("SELECT count(DISTINCT message_id) FROM events"));
            Assert.Equal(archive.Figures(), await Archive.LiveFiguresAsync(connections, cancellation));
            Assert.Single(worker.LogLines("The topic payments is known as cluster-"));
            Assert.Equal(0, await worker.StopAsync(cancellation));
        }
        finally
        {
            await worker.DisposeAsync();
        }
    }

    [Fact]
    public async Task Run_BrokerAway_SaysSoInOneLineAnswers503AndGoesOnWhenItComes()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var broker = new MockKafka();
        broker.Down();
        await using var platform = PlatformProcess.Start(_data, $"--simulator off -- --Streaming:Transport=Kafka --ConnectionStrings:payments={broker.Address} --Archiver:FlushAge=00:00:01");
        await Eventually.TrueAsync(() => platform.Output.Contains($"The stream 'payments' can't be reached at the Kafka brokers {broker.Address}: ", StringComparison.Ordinal), "a line names the address", TimeSpan.FromMinutes(3));

        await Eventually.TrueAsync(() => platform.Listens, "it listens all the same");
        using var http = new HttpClient { BaseAddress = platform.Url };
        string[] events = ["""{"transaction_id":"kafka-1","transaction_timestamp":"2025-12-05T10:00:00Z","amount":1.50,"currency":"EUR","payment_method":"credit_card","payment_status":"completed"}"""];
        using (var body = Body(events))
        using (var answer = await http.PostAsync("v1/transactions", body, cancellation))
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        // The publisher, the archiver, metrics and the client itself all found out: one line for all of them, and again only as it lasts.
        Assert.All(platform.Output.Split('\n').Where(line => line.StartsWith("warning:", StringComparison.Ordinal) || line.StartsWith("error:", StringComparison.Ordinal)), line => Assert.Matches(
            $"^warning: StreamOutage: The stream 'payments' can't be reached at the Kafka brokers {broker.Address}: .* \\(connection string 'payments'\\)\\. It is tried again until it answers", line));

        broker.Up();
        await Eventually.TrueAsync(async () =>
        {
            using var body = Body(events);
            using var answer = await http.PostAsync("v1/transactions", body, cancellation);
            return answer.StatusCode == HttpStatusCode.Accepted;
        }, "the event is taken once the broker is there");
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await http.GetAsync("v1/transactions/kafka-1", cancellation);
            return answer.StatusCode == HttpStatusCode.OK;
        }, "the event is archived");
        Assert.Equal(0, await platform.StopAsync(cancellation));
    }

    [Fact]
    public async Task Run_KafkaWithoutAddress_RefusesWithOneLine()
    {
        await using var platform = PlatformProcess.Start(_data, "--simulator off -- --Streaming:Transport=Kafka");
        await Eventually.TrueAsync(() => platform.HasExited, "it ends");

        Assert.Equal(2, platform.ExitCode);
        Assert.Equal("Streaming:Transport is Kafka, but there is no broker: set ConnectionStrings:payments to host:port (several separated by commas), or to an Event Hubs connection string.", platform.Output);
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static StringContent Body(IEnumerable<string> lines) => new(string.Join('\n', lines) + "\n", Encoding.UTF8, new MediaTypeHeaderValue("application/x-ndjson"));

    private static async Task PostAsync(Uri url, string[] lines, CancellationToken cancellation)
    {
        using var http = new HttpClient { BaseAddress = url };
        using var body = Body(lines);
        using var answer = await http.PostAsync("v1/transactions", body, cancellation);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(lines.Length, (await answer.Content.ReadFromJsonAsync<JsonElement>(cancellation)).GetProperty("accepted").GetInt32());
    }

    private static long Number(JsonElement item, string name) => item.GetProperty(name).GetInt64();

    private static async Task<List<JsonElement>> PipelineAsync(PlatformProcess hub, Predicate<List<JsonElement>> condition, CancellationToken cancellation)
    {
        using var http = new HttpClient { BaseAddress = hub.Url };
        List<JsonElement> items = [];
        await Eventually.TrueAsync(async () =>
        {
            items = [.. (await http.GetFromJsonAsync<JsonElement>("v1/pipeline", cancellation)).GetProperty("items").EnumerateArray()];
            return condition(items);
        }, "the pipeline's state", TimeSpan.FromMinutes(3));
        return items;
    }
}
