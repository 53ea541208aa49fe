using System.Net;
using System.Text.Json;
using PaymentPlatform.Testing;

namespace PaymentPlatform.Query.Tests;

public sealed class ArchiveTailTests(PlatformFixture platform)
{
    [Fact]
    public async Task Tail_ArchiverBehind_IsInEveryAnswer()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await host.Archive.AddFileAsync(EventsApiTests.Event(0, "1"));
        // Partition 0 is 70 events behind, partition 1 all of its 50.
        await ListApiTests.FillPipelineAsync(host);
        await host.Archive.ExecuteAsync(
            """
            INSERT INTO stream_batches (log_id, partition_id, first_offset, next_offset, enqueued_at, uncompressed_bytes, payload) VALUES
            ('log-1', 0, 0, 30, '2026-01-01 10:00:00Z', 1, ''), ('log-1', 0, 30, 60, '2026-01-01 10:00:01.5Z', 1, ''), ('log-1', 0, 60, 100, '2026-01-01 10:00:03Z', 1, ''), ('log-1', 1, 0, 50, '2026-01-01 10:00:02Z', 1, '')
            """);
        foreach (var path in (string[])["/v1/events", "/v1/transactions/t-0"])
        {
            var tail = (await host.GetAsync(path)).GetProperty("tail");
            Assert.Equal(120, tail.GetProperty("unarchived_events").GetInt64());
            Assert.Equal("2026-01-01T10:00:01.500000Z", tail.GetProperty("archived_through").GetString());
        }

        foreach (var accept in (string[])["application/x-ndjson", "text/csv", "application/vnd.apache.parquet"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events") { Headers = { { "Accept", accept } } };
            using var response = await host.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("120", Assert.Single(response.Headers.GetValues("Unarchived-Events")));
            Assert.Equal("2026-01-01T10:00:01.500000Z", Assert.Single(response.Headers.GetValues("Archived-Through")));
        }

        Assert.Contains("120 events", (await host.GetAsync("/v1/transactions/nope", HttpStatusCode.NotFound)).GetProperty("detail").GetString());

        // A broker's stream is not in the database.
        await host.Archive.ExecuteAsync("DELETE FROM stream_batches WHERE partition_id = 1");
        Assert.Equal(JsonValueKind.Null, (await host.GetAsync("/v1/events")).GetProperty("tail").GetProperty("archived_through").ValueKind);
    }

    [Fact]
    public async Task Tail_AllArchived_ThroughNow()
    {
        await using var host = await QueryHost.StartAsync(platform);
        await ListApiTests.FillPipelineAsync(host);
        await host.Archive.ExecuteAsync("INSERT INTO stream_checkpoints (consumer_group, stream, log_id, partition_id, next_offset) VALUES ('archiver', 'payments', 'log-1', 1, 50)");
        await host.Archive.ExecuteAsync("UPDATE stream_checkpoints SET next_offset = 100 WHERE partition_id = 0");
        var before = DateTime.UtcNow.AddSeconds(-5);
        var tail = (await host.GetAsync("/v1/events")).GetProperty("tail");
        Assert.Equal(0, tail.GetProperty("unarchived_events").GetInt64());
        Assert.InRange(tail.GetProperty("archived_through").GetDateTime(), before, DateTime.UtcNow.AddSeconds(5));
        Assert.Contains("All that the stream holds", (await host.GetAsync("/v1/transactions/nope", HttpStatusCode.NotFound)).GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Tail_NoArchiver_Unknown()
    {
        await using var host = await QueryHost.StartAsync(platform);
        var tail = (await host.GetAsync("/v1/events")).GetProperty("tail");
        Assert.Equal(0, tail.GetProperty("unarchived_events").GetInt64());
        Assert.Equal(JsonValueKind.Null, tail.GetProperty("archived_through").ValueKind);
    }
}
