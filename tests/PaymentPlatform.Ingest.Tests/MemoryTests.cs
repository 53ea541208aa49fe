namespace PaymentPlatform.Ingest.Tests;

/// <summary>Measures the process, so nothing else may run in it.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
[Collection(nameof(MemoryTests))]
public sealed class MemoryTests
{
    private readonly InMemoryPublisher _publisher = new() { Keep = false };

    [Fact]
    public async Task Post_LongStream_IsHeldInTwoBuffersAtMost()
    {
        await using var host = await IngestHost.StartAsync(_publisher);
        var line = TestEvents.Bytes(TestEvents.Valid(1, $",\"pad\":\"{new string('p', 800)}\"") + "\n");
        long held = 0, heap = 0;
        GC.Collect();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        _publisher.Before = () =>
        {
            held = Math.Max(held, host.Budget.Used);
            if (_publisher.Count % 10_000 < 1000)
                heap = Math.Max(heap, GC.GetTotalMemory(forceFullCollection: true) - before);
            return Task.CompletedTask;
        };

        var answer = await host.PostAsync(new GeneratedContent(Enumerable.Repeat(line, 100_000)), "application/x-ndjson");

        Assert.Equal(202, answer.Status);
        Assert.Equal(100_000, answer.Accepted);
        Assert.Equal(100_000, _publisher.Count);
        Assert.InRange(held, 1, 2 << 20);
        Assert.True(heap < 24 << 20, $"{heap >> 20} MiB were live in the middle of a stream of {100_000L * line.Length >> 20} MiB.");
        Assert.Equal(0, host.Budget.Used);
    }
}
