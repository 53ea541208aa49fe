using PaymentPlatform.Streaming;

namespace PaymentPlatform.Ingest.Tests;

/// <summary>The stream goes away while it appends: nobody knows whether the chunk is in.</summary>
public sealed class UnsettledTests
{
    private const string Ndjson = "application/x-ndjson";
    private const string InDoubt = "may or may not be in the stream";

    private readonly InMemoryPublisher _publisher = new();

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1000)]
    public async Task Post_OutcomeUnknownWithoutAKey_SaysSoAndDoesNotAdviseToSendItAgain(int failing, int settled)
    {
        await using var host = await StartAsync(failing);

        var answer = await host.PostAsync(TestEvents.Lines(0, 2500), Ndjson);

        Assert.Equal(503, answer.Status);
        Assert.Equal("5", answer.RetryAfter);
        Assert.Equal(settled, answer.Accepted);
        Assert.Equal(settled, answer.Json.GetProperty("next_index").GetInt32());
        Assert.Equal(settled + 1000, _publisher.Count);
        var detail = answer.Json.GetProperty("detail").GetString()!;
        Assert.Contains($"from index {settled} on {InDoubt}", detail);
        Assert.Contains("may count twice", detail);
        Assert.Contains("with an Idempotency-Key", detail);
        Assert.DoesNotContain("same Idempotency-Key", detail);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1000)]
    public async Task Post_OutcomeUnknownUnderAKey_AdvisesToSendAllOfItAgainAndThatCountsOnce(int failing, int settled)
    {
        await using var host = await StartAsync(failing);

        var answer = await host.PostAsync(TestEvents.Lines(0, 2500), Ndjson, ("Idempotency-Key", "k"));
        var again = await host.PostAsync(TestEvents.Lines(0, 2500), Ndjson, ("Idempotency-Key", "k"));

        Assert.Equal(503, answer.Status);
        Assert.Equal(settled, answer.Json.GetProperty("next_index").GetInt32());
        var detail = answer.Json.GetProperty("detail").GetString()!;
        Assert.Contains($"from index {settled} on {InDoubt}", detail);
        Assert.Contains("all of it again under the same Idempotency-Key", detail);
        Assert.DoesNotContain("twice", detail);
        Assert.Equal(2500, again.Accepted);
        Assert.Equal(2500, _publisher.Count);
    }

    [Fact]
    public async Task Post_OutcomeUnknownOfCloudEvents_AdvisesToSendThemAgainAndTheyCountOnce()
    {
        await using var host = await StartAsync(1);
        var body = TestEvents.CloudEvent("1", TestEvents.Valid(1));

        var answer = await host.PostAsync(body, "application/cloudevents+json");
        var again = await host.PostAsync(body, "application/cloudevents+json");

        var detail = answer.Json.GetProperty("detail").GetString()!;
        Assert.Equal(503, answer.Status);
        Assert.Contains(InDoubt, detail);
        Assert.Contains("by source and id", detail);
        Assert.Equal(1, again.Accepted);
        Assert.Equal(1, _publisher.Count);
    }

    private Task<IngestHost> StartAsync(int failing)
    {
        var call = 0;
        _publisher.After = () => Interlocked.Increment(ref call) == failing ? throw new StreamUnavailableException("The connection broke.") : Task.CompletedTask;
        return IngestHost.StartAsync(_publisher);
    }
}
