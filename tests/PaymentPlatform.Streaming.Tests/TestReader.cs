using System.Diagnostics;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Tests;

/// <summary>A consumer's loop that keeps what it gets and, where asked to, commits each batch: only what was committed counts as seen.</summary>
public sealed class TestReader(MessageConsumer consumer, StreamFixture fixture, string group, bool commits = true) : IAsyncDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    public MessageConsumer Consumer => consumer;

    public List<Received> Seen { get; } = [];

    /// <summary>Partitions owned, as announced, with the next offset expected.</summary>
    public Dictionary<StreamPartition, long> Owned { get; } = [];

    public List<ConsumerEvent> Announced { get; } = [];

    public static async Task<TestReader> CreateAsync(StreamFixture fixture, string group, bool commits = true) =>
        new(await fixture.CreateConsumers().CreateAsync(group, TestContext.Current.CancellationToken), fixture, group, commits);

    /// <summary>Handles events until the condition holds.</summary>
    public async Task UntilAsync(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > s_deadline)
                throw new TimeoutException($"'{what}' did not happen. Seen {Seen.Count}, owned {string.Join(", ", Owned.Keys)}; announced {string.Join(", ", Announced)}");
            await StepAsync(TimeSpan.FromMilliseconds(50));
        }
    }

    public Task UntilSeenAsync(int count) => UntilAsync(() => Seen.Count >= count, $"{count} messages seen");

    public Task UntilOwnsAsync(int partitions) => UntilAsync(() => Owned.Count == partitions, $"{partitions} partitions owned");

    /// <summary>Nothing comes for so long.</summary>
    public async Task<bool> IsQuietAsync(TimeSpan time)
    {
        var before = Seen.Count;
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < time)
            await StepAsync(TimeSpan.FromMilliseconds(20));
        return Seen.Count == before;
    }

    public async Task StopAsync()
    {
        consumer.Stop();
        await UntilAsync(() => consumer.IsStopped, "stopped");
    }

    public async Task<ConsumerEvent?> StepAsync(TimeSpan timeout)
    {
        var next = await consumer.ReadAsync(timeout, TestContext.Current.CancellationToken);
        switch (next)
        {
            case ConsumerEvent.Assigned assigned:
                Announced.Add(next);
                Owned[assigned.Partition] = assigned.NextOffset;
                break;
            case ConsumerEvent.Received received:
                using (received.Batch)
                    await HandleAsync(received.Batch);
                break;
            case ConsumerEvent.Revoking revoking:
                Announced.Add(next);
                Assert.True(Owned.Remove(revoking.Partition), "revoking what was not assigned");
                await consumer.ReleaseAsync(revoking.Partition, TestContext.Current.CancellationToken);
                break;
            case ConsumerEvent.Lost lost:
                Announced.Add(next);
                Assert.True(Owned.Remove(lost.Partition), "losing what was not assigned");
                break;
        }

        return next;
    }

    public ValueTask DisposeAsync() => consumer.DisposeAsync();

    private async Task HandleAsync(MessageBatch batch)
    {
        Assert.True(Owned.TryGetValue(batch.Partition, out var expected), $"a batch of {batch.Partition}, which is not owned");
        Assert.Equal(expected, batch.FirstOffset);
        var messages = batch.Messages.ToArray().Select(m => Received.From(batch.Partition, m)).ToList();
        Assert.All(messages, m => Assert.InRange(m.Offset, batch.FirstOffset, batch.NextOffset - 1));
        Assert.Equal(messages.Sum(m => (long)m.Body.Length), batch.BodyBytes);
        Owned[batch.Partition] = batch.NextOffset;
        if (commits)
        {
            var stale = await fixture.CommitAsync(group, new OffsetRange(batch.Partition, batch.FirstOffset, batch.NextOffset));
            if (stale.Count > 0)
            {
                await consumer.RewindAsync(batch.Partition, TestContext.Current.CancellationToken);
                return;
            }
        }

        Seen.AddRange(messages);
    }
}
