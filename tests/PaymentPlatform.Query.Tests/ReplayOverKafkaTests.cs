using System.Net;
using System.Text;
using PaymentPlatform.Testing;
using static PaymentPlatform.Query.Tests.ReplayHarness;

namespace PaymentPlatform.Query.Tests;

/// <summary>A replay into a topic of Kafka.</summary>
public sealed class ReplayOverKafkaTests(PlatformFixture platform)
{
    [Fact]
    public async Task Run_OverKafka_NeedsTheTopicAndGivesEachEventOneIdentity()
    {
        using var broker = new MockKafka();
        await using var host = await QueryHost.StartAsync(
            platform, new() { ["Streaming:Transport"] = "Kafka", ["ConnectionStrings:payments"] = broker.Address }, services: FaultyTargets.AddTo);
        var files = RandomArchive.Files(new Random(12), files: 4, rows: 600);
        await ArchiveAsync(host, files);
        var replay = await AskAsync(host, SmallChunks);
        var failed = await UntilAsync(host, replay, "failed");
        Assert.StartsWith($"There is no topic '{Target}' at the Kafka brokers {broker.Address}: make it, or correct the name.", Text(failed, "error"));

        broker.CreateTopic(Target, 3);
        FaultyTargets.Of(host).After = call => call is 2 or 4 ? KillBeforeTheClaimEndsAsync(host, chunk: 1) : Task.CompletedTask;
        using (var response = await host.Client.PostAsync($"/v1/replays/{Text(replay, "id")}/resume", null))
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        await UntilAsync(host, replay, "done", () => host.Archive.ExecuteAsync("UPDATE replays SET not_before = NULL, faults = 0, position = NULL, events_done = 0 WHERE state = 'waiting' AND attempts > 0"));

        var expected = Expected(files);
        var delivered = KafkaTopic.Read(broker, Target);
        // A consumer that knows nothing of identities sees some again.
        Assert.True(delivered.Count > expected.Count, $"{delivered.Count} of {expected.Count}");
        AssertDelivered(expected, [.. delivered.DistinctBy(m => m.Identity).Select(m => m.Message)]);
    }

    [Fact]
    public async Task Run_OverKafkaThatTakesMoreAtTheRepeat_KeepsTheIdentities()
    {
        using var broker = new MockKafka();
        broker.CreateTopic(Target, 1);
        var database = await platform.CreateDatabaseAsync();
        Dictionary<string, string?> settings = new() { ["Streaming:Transport"] = "Kafka", ["ConnectionStrings:payments"] = broker.Address, ["Streaming:Kafka:MaxMessageBytes"] = "10000" };
        List<TestEvent> events = [.. Enumerable.Range(0, 4).Select(i => At(partition: 0, offset: i, arrival: i) with { RawPayload = Encoding.UTF8.GetBytes(i == 1 ? $"\"{new string('x', 10_000)}\"" : "{}") })];
        await using (var first = await QueryHost.StartAsync(platform, settings, database, FaultyTargets.AddTo))
        {
            FaultyTargets.Of(first).After = _ => KillBeforeTheClaimEndsAsync(first, chunk: 0);
            await ArchiveAsync(first, [events]);
            await AskAsync(first, "\"on_oversized\": \"skip\"");
            await Eventually.TrueAsync(() => first.ScalarAsync<bool>("SELECT state = 'waiting' AND attempts > 0 FROM replays"), "the replay is killed");
        }

        await using var second = await QueryHost.StartAsync(platform, new(settings) { ["Streaming:Kafka:MaxMessageBytes"] = "20000" }, database);
        await Eventually.TrueAsync(() => second.ScalarAsync<bool>("SELECT state = 'done' FROM replays"), "the replay is done");

        var delivered = KafkaTopic.Read(broker, Target);
        Assert.Equal(7, delivered.Count);
        Assert.Equal(events.Select(e => e.MessageId), delivered.DistinctBy(m => m.Identity).Select(m => m.Message.MessageId).Order(StringComparer.Ordinal));
    }

    /// <summary>The chunk is sent, which is noted nowhere: its claim looks as though it were still being sent.</summary>
    private static async Task KillBeforeTheClaimEndsAsync(QueryHost host, int chunk)
    {
        await host.Archive.ExecuteAsync($"UPDATE ingest_idempotency SET sending_until = clock_timestamp() WHERE key LIKE 'replay/%/{chunk}'");
        throw new InvalidOperationException("killed");
    }
}
