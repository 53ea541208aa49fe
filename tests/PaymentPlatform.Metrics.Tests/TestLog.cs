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

    /// <summary>Without the repeats of events that came before under the same identity.</summary>
    public IEnumerable<(StreamPartition Partition, ReceivedMessage Message)> Counted => All.Where(m => m.Message.Identity.Key.IsEmpty || !_repeats.Contains((m.Partition.PartitionId, m.Message.Offset)));

    private readonly HashSet<(int, long)> _repeats = [];

    /// <summary>Half of the events came under idempotency keys, and many of them again: at once, later, and more than once.</summary>
    public static TestLog RandomWithRepeats(int seed, int partitions, int events)
    {
        var random = new Random(seed);
        var log = new TestLog(partitions);
        var sent = new List<(int Partition, byte[] Body, MessageIdentity Identity)>();
        for (var i = 0; i < events; i++)
        {
            if (sent.Count > 0 && random.Next(4) == 0)
            {
                var (partition, body, identity) = sent[random.Next(3) == 0 ? sent.Count - 1 : random.Next(sent.Count)];
                log.Append(partition, body, identity: identity);
                log._repeats.Add((partition, log.End(partition) - 1));
                continue;
            }

            var next = (Partition: random.Next(partitions), Body: TestEvents.Next(random), Identity: random.Next(2) == 0 ? default : new MessageIdentity(Utf8($"key-{i % 7}"), i * 11L));
            log.Append(next.Partition, next.Body, identity: next.Identity);
            if (!next.Identity.Key.IsEmpty)
                sent.Add(next);
        }

        return log;
    }

    public static TestLog Random(int seed, int partitions, int events)
    {
        var random = new Random(seed);
        var log = new TestLog(partitions);
        for (var i = 0; i < events; i++)
            log.Append(random.Next(partitions), TestEvents.Next(random), hole: random.Next(50) == 0 ? random.Next(5) : 0);
        return log;
    }

    public void Append(int partition, byte[] body, MessageHeaders? headers = null, string messageId = "", string correlationId = "", int hole = 0, MessageIdentity identity = default) =>
        _partitions[partition].Add(new(End(partition) + hole, TestEvents.EnqueuedMicros, new(body, Utf8(messageId), Utf8(correlationId), default, headers ?? MessageHeaders.Empty), identity));

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
