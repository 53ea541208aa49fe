using System.Buffers;
using Confluent.Kafka;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Kafka;

/// <summary>Messages of one partition in pooled buffers. One thread fills it, then another one has it.</summary>
internal sealed class KafkaMessageBatch(StreamPartition partition, long firstOffset) : MessageBatch
{
    /// <summary>What a message costs beside its bytes, roughly.</summary>
    private const int Overhead = 256;
    private const int BlockSize = 256 << 10;

    private readonly List<byte[]> _blocks = [];
    private ReceivedMessage[] _messages = [];
    private int _used;
    private int _count;
    private long _nextOffset = firstOffset;
    private long _bodyBytes;
    private long _heldBytes;

    public override StreamPartition Partition => partition;

    public override long FirstOffset { get; } = firstOffset;

    public override long NextOffset => _nextOffset;

    public override ReadOnlySpan<ReceivedMessage> Messages => _messages.AsSpan(0, _count);

    public override long BodyBytes => _bodyBytes;

    public int Count => _count;

    internal override long HeldBytes => _heldBytes;

    public void Append(ConsumeResult<KafkaBytes, KafkaBytes> result, KafkaScratch scratch, KafkaHeaderReader headers)
    {
        headers.Read(result.Message.Headers);
        var body = Copy(scratch[result.Message.Value]);
        var key = Copy(scratch[result.Message.Key]);
        if (_count == _messages.Length)
            Grow();
        _messages[_count++] = new(
            result.Offset.Value, Math.Max(result.Message.Timestamp.UnixTimestampMs, 0) * 1000, new(body, headers.MessageId, headers.CorrelationId, key, headers.Headers), headers.Identity);
        _bodyBytes += body.Length;
        _heldBytes += body.Length + key.Length + headers.MessageId.Length + headers.CorrelationId.Length + Overhead;
        _nextOffset = result.Offset.Value + 1;
    }

    /// <summary>There is nothing up to this offset: control records of transactions.</summary>
    public void SkipTo(long offset) => _nextOffset = offset;

    public override void Dispose()
    {
        foreach (var block in _blocks)
            ArrayPool<byte>.Shared.Return(block);
        _blocks.Clear();
        if (_messages.Length > 0)
            ArrayPool<ReceivedMessage>.Shared.Return(_messages, clearArray: true);
        _messages = [];
        _count = 0;
    }

    private ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return default;
        if (_blocks.Count == 0 || bytes.Length > _blocks[^1].Length - _used)
        {
            // A first small one: most batches of a quiet stream hold a message or two.
            _blocks.Add(ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length, _blocks.Count == 0 ? 4 << 10 : BlockSize)));
            _used = 0;
        }

        var copy = _blocks[^1].AsMemory(_used, bytes.Length);
        bytes.CopyTo(copy.Span);
        _used += bytes.Length;
        return copy;
    }

    private void Grow()
    {
        var larger = ArrayPool<ReceivedMessage>.Shared.Rent(Math.Max(16, _messages.Length * 2));
        _messages.AsSpan(0, _count).CopyTo(larger);
        if (_messages.Length > 0)
            ArrayPool<ReceivedMessage>.Shared.Return(_messages, clearArray: true);
        _messages = larger;
    }
}
