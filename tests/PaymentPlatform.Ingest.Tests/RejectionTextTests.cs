namespace PaymentPlatform.Ingest.Tests;

/// <summary>What an answer lists is bounded in text too, however much there is to say.</summary>
public sealed class RejectionTextTests
{
    private const string Batch = "application/cloudevents-batch+json";
    private const int MaxText = 1 << 20;

    /// <summary>A rejection is listed whole: the last may go over the limit.</summary>
    private const int OneRejection = 100 << 10;

    private readonly InMemoryPublisher _publisher = new();

    [Fact]
    public async Task Post_EventsWithManyErrors_AreAllCountedAndListedUpToTheLimit()
    {
        await using var host = await IngestHost.StartAsync(_publisher);
        var body = $"[{string.Join(",", Enumerable.Range(0, 300).Select(i => Wrong(i, errors: 60)))}]";

        var answer = await host.PostAsync(body, Batch);

        Assert.Equal(422, answer.Status);
        Assert.Equal(300, answer.RejectedCount);
        Assert.InRange(answer.Text.Length, MaxText, MaxText + OneRejection);
        Assert.Equal(Enumerable.Range(0, answer.Rejected.GetArrayLength()), answer.Rejected.EnumerateArray().Select(r => r.GetProperty("index").GetInt32()));
    }

    [Fact]
    public async Task Post_LimitReachedInALaterChunk_IsAnsweredAlikeAgain()
    {
        await using var host = await IngestHost.StartAsync(_publisher);
        var body = $"[{string.Join(",", Enumerable.Range(0, 3000).Select(i => i % 4 == 1 ? Wrong(i, errors: 12) : TestEvents.CloudEvent($"{i}", TestEvents.Valid(i))))}]";

        var answer = await host.PostAsync(body, Batch, ("Idempotency-Key", "k"));
        var again = await host.PostAsync(body, Batch, ("Idempotency-Key", "k"));

        Assert.Equal(202, answer.Status);
        Assert.Equal(2250, answer.Accepted);
        Assert.Equal(750, answer.RejectedCount);
        Assert.InRange(answer.Text.Length, MaxText, MaxText + OneRejection);
        // The first chunk alone does not reach it.
        Assert.InRange(answer.Rejected.GetArrayLength(), 251, 749);
        Assert.Equal(answer, again);
        Assert.Equal(2250, _publisher.Count);
    }

    private static string Wrong(int i, int errors) =>
        TestEvents.CloudEvent($"{i}", TestEvents.Valid(i)).Replace("\"source\"", string.Concat(Enumerable.Repeat("\"id\":\"1\",", errors)) + "\"source\"");
}
