using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

/// <summary>What the tests of replays do with a host.</summary>
internal static class ReplayHarness
{
    public const string Target = "replayed";

    /// <summary>Of 200 events.</summary>
    public const string SmallChunks = "\"rate\": 1000";

    /// <summary>Archives the files, as the archiver would have: its checkpoints are behind them.</summary>
    public static async Task ArchiveAsync(QueryHost host, IReadOnlyCollection<List<TestEvent>> files)
    {
        foreach (var file in files)
            await host.Archive.AddFileAsync(file);
        foreach (var partition in files.SelectMany(f => f).GroupBy(e => (e.LogId, e.Partition)))
        {
            await host.Archive.ExecuteAsync(
                """
                INSERT INTO stream_checkpoints (consumer_group, stream, log_id, partition_id, next_offset) VALUES ('archiver', 'payments', $1, $2, $3)
                ON CONFLICT (consumer_group, stream, log_id, partition_id) DO UPDATE SET next_offset = excluded.next_offset
                """,
                new() { Value = partition.Key.LogId }, new() { Value = partition.Key.Partition }, new() { Value = partition.Max(e => e.Offset) + 1 });
        }
    }

    /// <summary>What a replay takes by itself, in the order of arrival.</summary>
    public static List<TestEvent> Expected(IEnumerable<List<TestEvent>> files) =>
        [.. files.SelectMany(f => f).Where(e => e.Time is not null && e.Origin != "replay").OrderBy(e => e.EnqueuedAt).ThenBy(e => e.Partition).ThenBy(e => e.Offset)];

    public static async Task<JsonElement> AskAsync(QueryHost host, string members = "", string target = Target, string from = "2025-12-01T00:00:00Z")
    {
        var body = $$"""{"from": "{{from}}", "to": "2026-12-01T00:00:00Z", "target": "{{target}}"{{(members.Length == 0 ? "" : ", ")}}{{members}}}""";
        using var response = await host.Client.PostAsync("/v1/replays", new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.Accepted, text);
        var item = JsonElement.Parse(text);
        Assert.Equal($"/v1/replays/{Text(item, "id")}", response.Headers.Location!.OriginalString);
        return item;
    }

    /// <summary>One that an earlier version stored, with a filter that may be refused by now.</summary>
    public static async Task<JsonElement> StoreAsync(QueryHost host, string filter, string state = "waiting")
    {
        var id = Guid.CreateVersion7();
        await host.Archive.ExecuteAsync(
            """
            WITH made AS (
              INSERT INTO replays (id, range_from, range_to, filter, target, allow_live, chunk_events, arrived_before, events_total, requested_by, state)
              VALUES ($1, '2025-12-01T00:00:00Z', '2026-12-01T00:00:00Z', $2::jsonb, $3, false, 100, '2026-12-01T00:00:00Z', 0, 'somebody', $4)
              RETURNING id
            )
            INSERT INTO replay_spans (replay_id, stream, log_id, partition_id, next_offset)
            SELECT made.id, c.stream, c.log_id, c.partition_id, c.next_offset FROM made, stream_checkpoints c WHERE c.consumer_group = 'archiver'
            """,
            new() { Value = id }, new() { Value = filter }, new() { Value = Target }, new() { Value = state });
        return await host.GetAsync($"/v1/replays/{id}");
    }

    public static async Task<JsonElement> UntilAsync(QueryHost host, JsonElement replay, string state, Func<Task>? meanwhile = null)
    {
        var item = replay;
        await Eventually.TrueAsync(async () =>
        {
            if (meanwhile is not null)
                await meanwhile();
            item = await host.GetAsync($"/v1/replays/{Text(replay, "id")}");
            Assert.True(state == "failed" || Text(item, "state") != "failed", item.GetRawText());
            return Text(item, "state") == state;
        }, $"the replay is {state}");
        return item;
    }

    public static string? Text(JsonElement item, string name) => item.GetProperty(name).GetString();

    public static long Number(JsonElement item, string name) => item.GetProperty(name).GetInt64();

    /// <summary>Each event once, those of a key in the order of arrival.</summary>
    public static void AssertDelivered(IEnumerable<TestEvent> expected, IReadOnlyCollection<StreamContents> delivered)
    {
        var wanted = expected.ToList();
        Assert.Equal(wanted.Select(e => e.MessageId).Order(StringComparer.Ordinal), delivered.Select(m => m.MessageId).Order(StringComparer.Ordinal));
        var byKey = delivered.GroupBy(m => m.PartitionKey).ToDictionary(g => g.Key, g => g.Select(m => m.MessageId));
        foreach (var key in wanted.GroupBy(Key))
            Assert.Equal(key.Select(e => e.MessageId), byKey[key.Key]);
        Assert.All(delivered.GroupBy(m => m.PartitionKey), key => Assert.Single(key.Select(m => m.Partition).Distinct()));
    }

    public static string Key(TestEvent e) => e.CustomerId ?? e.TransactionId ?? e.MessageId;

    public static TestEvent At(int partition, long offset, long arrival) => new()
    {
        Partition = partition, Offset = offset, EnqueuedAt = RandomArchive.Start + arrival, Time = RandomArchive.Start + arrival, CustomerId = $"c-{partition}", MessageId = $"{partition}-{offset}",
    };

    public static Task<bool> IsRunningAsync(QueryHost host) => host.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM replays WHERE state = 'running')");

    /// <summary>The service looks for work once a second of its clock.</summary>
    public static Task AdvanceUntilAsync(FakeTimeProvider clock, Func<Task<bool>> condition) => Eventually.TrueAsync(
        async () =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(200));
            return await condition();
        },
        "the replay is taken up");
}
