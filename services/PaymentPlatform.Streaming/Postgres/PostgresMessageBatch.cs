using System.Buffers;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>One or more record batches, decoded into pooled buffers.</summary>
internal sealed class PostgresMessageBatch : MessageBatch
{
    private readonly List<byte[]> _buffers = [];
    private ReceivedMessage[] _messages = [];
    private int _count;
    private long _nextOffset;
    private long _bodyBytes;
    private long _heldBytes;

    public PostgresMessageBatch(StreamPartition partition, long firstOffset)
    {
        Partition = partition;
        FirstOffset = _nextOffset = firstOffset;
    }

    public override StreamPartition Partition { get; }

    public override long FirstOffset { get; }

    public override long NextOffset => _nextOffset;

    public override ReadOnlySpan<ReceivedMessage> Messages => _messages.AsSpan(0, _count);

    public override long BodyBytes => _bodyBytes;

    internal override long HeldBytes => _heldBytes;

    public int Count => _count;

    /// <summary>Adds one stored record batch; nothing of it stays when it is damaged.</summary>
    /// <exception cref="InvalidDataException"/>
    public void Append(ReadOnlySpan<byte> payload, int uncompressedBytes, long batchFirstOffset, long batchNextOffset, long enqueuedAtMicros)
    {
        var block = ArrayPool<byte>.Shared.Rent(uncompressedBytes);
        var (countBefore, bytesBefore) = (_count, _bodyBytes);
        try
        {
            var (count, headerTable) = RecordBatchReader.Unpack(payload, block.AsSpan(0, uncompressedBytes));
            if (count != batchNextOffset - batchFirstOffset)
                throw new InvalidDataException($"it holds {count} messages, its row says {batchNextOffset - batchFirstOffset}");
            Reserve(count);
            RecordBatchReader.Read(block.AsMemory(0, uncompressedBytes), count, headerTable, batchFirstOffset, enqueuedAtMicros, FirstOffset, this);
        }
        catch
        {
            (_count, _bodyBytes) = (countBefore, bytesBefore);
            ArrayPool<byte>.Shared.Return(block);
            throw;
        }

        _buffers.Add(block);
        _heldBytes += uncompressedBytes;
        _nextOffset = batchNextOffset;
    }

    internal void Add(in ReceivedMessage message)
    {
        _messages[_count++] = message;
        _bodyBytes += message.Message.Body.Length;
    }

    public override void Dispose()
    {
        foreach (var buffer in _buffers)
            ArrayPool<byte>.Shared.Return(buffer);
        _buffers.Clear();
        if (_messages.Length > 0)
            ArrayPool<ReceivedMessage>.Shared.Return(_messages);
        _messages = [];
        _count = 0;
    }

    private void Reserve(int more)
    {
        if (_messages.Length - _count >= more)
            return;
        var larger = ArrayPool<ReceivedMessage>.Shared.Rent(Math.Max(_count + more, _messages.Length * 2));
        _messages.AsSpan(0, _count).CopyTo(larger);
        if (_messages.Length > 0)
            ArrayPool<ReceivedMessage>.Shared.Return(_messages);
        _messages = larger;
    }
}
