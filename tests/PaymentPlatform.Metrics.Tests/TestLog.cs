using PaymentPlatform.Storage.Database.Checkpoints;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Metrics.Tests;

/// <summary>A stream of a few partitions that does not change while it is read. Offsets have holes, as brokers leave them.</summary>
internal sealed class TestLog
{
    private readonly List<ReceivedMessage>[] _partitions;

    public TestLog(int partitions) => _partitions = [.. Enumerable.Range(0, partitions).Select(_ => new List<ReceivedMessage>())];

    public IEnumerable<StreamPartition> Partitions => Enumerable.Range(0, _partitions.Length).Select(p => new StreamPartition("payments", "log-1", p));

    public IEnumerable<(StreamPartition Partition, ReceivedMessage Message)> All => Partitions.SelectMany(p => _partitions[p.PartitionId].Select(m => (p, m)));

    public static TestLog Random(int seed, int partitions, int events)
    {
        var random = new Random(seed);
        var log = new TestLog(partitions);
        for (var i = 0; i < events; i++)
            log.Append(random.Next(partitions), TestEvents.Next(random), hole: random.Next(50) == 0 ? random.Next(5) : 0);
        return log;
    }

    public void Append(int partition, byte[] body, MessageHeaders? headers = null, string messageId = "", string correlationId = "", int hole = 0) =>
        _partitions[partition].Add(new(End(partition) + hole, TestEvents.EnqueuedMicros, new(body, Utf8(messageId), Utf8(correlationId), default, headers ?? MessageHeaders.Empty)));

    public long End(int partition) => _partitions[partition] is [.., var last] ? last.Offset + 1 : 0;

    /// <summary>Some messages from the offset on; null at the end.</summary>
    public MessageBatch? Read(StreamPartition partition, long offset, int max)
    {
        var messages = _partitions[partition.PartitionId].Where(m => m.Offset >= offset).Take(max).ToArray();
        return messages.Length == 0 ? null : new Batch(partition, offset, messages);
    }

    private static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    internal sealed class Batch(StreamPartition partition, long first, ReceivedMessage[] messages) : MessageBatch
    {
        private bool _disposed;

        public override StreamPartition Partition => partition;

        public override long FirstOffset => first;

        public override long NextOffset => messages[^1].Offset + 1;

        public override ReadOnlySpan<ReceivedMessage> Messages => _disposed ? throw new ObjectDisposedException(nameof(Batch)) : messages;

        public override long BodyBytes => messages.Sum(m => (long)m.Message.Body.Length);

        public override void Dispose() => _disposed = true;
    }
}
