using System.Text;
using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.BlobArchiver.Tests;

/// <summary>A batch over arrays.</summary>
internal sealed class TestBatch(StreamPartition partition, long first, long next, ReceivedMessage[] messages) : MessageBatch
{
    public bool Disposed { get; private set; }

    public override StreamPartition Partition => partition;

    public override long FirstOffset => first;

    public override long NextOffset => next;

    public override ReadOnlySpan<ReceivedMessage> Messages => messages;

    public override long BodyBytes => messages.Sum(m => (long)m.Message.Body.Length);

    /// <summary>One event at every offset of [from, to), all enqueued at the same moment.</summary>
    public static TestBatch Of(StreamPartition partition, long from, long to, DateTimeOffset enqueuedAt, int bodyBytes = 0) =>
        new(partition, from, to, [.. Enumerable.Range(0, (int)(to - from)).Select(i => Event(from + i, enqueuedAt, bodyBytes))]);

    public static ReceivedMessage Event(long offset, DateTimeOffset enqueuedAt, int bodyBytes = 0) => new(
        offset,
        (enqueuedAt - DateTimeOffset.UnixEpoch).Ticks / 10,
        new(Encoding.UTF8.GetBytes(TestEvents.Json($"tx-{offset}", bodyBytes)), Encoding.UTF8.GetBytes($"m-{offset}"), default, default, MessageHeaders.Empty));

    public override void Dispose() => Disposed = true;
}
