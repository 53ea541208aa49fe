using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Gathers the messages of one record batch and encodes them (<see cref="RecordBatchFormat"/>). Used by one thread at a time.</summary>
internal sealed class RecordBatchBuilder : IDisposable
{
    private readonly Dictionary<MessageHeaders, int> _sets = [];
    private readonly List<MessageHeaders> _table = [];
    private byte[] _block;
    private int _length;
    private MessageHeaders? _lastHeaders;
    private int _lastSet;

    public RecordBatchBuilder(int partition, int sizeHint)
    {
        Partition = partition;
        _block = ArrayPool<byte>.Shared.Rent(Math.Max(sizeHint, 1024));
    }

    public int Partition { get; }

    public int Count { get; private set; }

    /// <summary>Bytes of the block so far, uncompressed.</summary>
    public int Length => _length;

    public static int SizeOf(in Message message) =>
        RecordBatchFormat.MaxLengthsSize + message.MessageId.Length + message.CorrelationId.Length + message.PartitionKey.Length + message.Body.Length;

    public void Add(in Message message)
    {
        Reserve(SizeOf(message));
        WriteVarint(message.MessageId.Length);
        WriteVarint(message.CorrelationId.Length);
        WriteVarint(message.PartitionKey.Length);
        WriteVarint(message.Body.Length);
        WriteVarint(SetOf(message.Headers));
        Write(message.MessageId.Span);
        Write(message.CorrelationId.Span);
        Write(message.PartitionKey.Span);
        Write(message.Body.Span);
        Count++;
    }

    /// <summary>Ends the batch.</summary>
    public EncodedBatch Encode()
    {
        var headerTable = _length;
        WriteHeaderTable();
        var payload = ArrayPool<byte>.Shared.Rent(RecordBatchFormat.HeaderSize + Math.Max(ZstdCodec.Bound(_length), _length));
        var block = _block.AsSpan(0, _length);
        var codec = RecordBatchFormat.CodecZstd;
        var stored = ZstdCodec.Compress(block, payload.AsSpan(RecordBatchFormat.HeaderSize));
        if (stored >= block.Length)
        {
            codec = RecordBatchFormat.CodecNone;
            block.CopyTo(payload.AsSpan(RecordBatchFormat.HeaderSize));
            stored = block.Length;
        }

        var header = payload.AsSpan();
        header[0] = RecordBatchFormat.Magic;
        header[1] = RecordBatchFormat.Version;
        header[2] = codec;
        header[3] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(header[RecordBatchFormat.CountPosition..], Count);
        BinaryPrimitives.WriteInt32LittleEndian(header[RecordBatchFormat.LengthPosition..], _length);
        BinaryPrimitives.WriteInt32LittleEndian(header[RecordBatchFormat.HeaderTablePosition..], headerTable);
        var size = RecordBatchFormat.HeaderSize + stored;
        BinaryPrimitives.WriteUInt32LittleEndian(header[RecordBatchFormat.CrcPosition..], Crc32C.Compute(header[RecordBatchFormat.CountPosition..size]));
        return new(Partition, Count, _length, payload, size);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_block);
        _block = [];
    }

    private int SetOf(MessageHeaders headers)
    {
        if (headers is null || headers.Count == 0)
            return 0;
        if (ReferenceEquals(headers, _lastHeaders))
            return _lastSet;
        if (!_sets.TryGetValue(headers, out var set))
        {
            _table.Add(headers);
            _sets.Add(headers, set = _table.Count);
        }

        _lastHeaders = headers;
        return _lastSet = set;
    }

    private void WriteHeaderTable()
    {
        Reserve(5);
        WriteVarint(_table.Count);
        foreach (var set in _table)
        {
            Reserve(5);
            WriteVarint(set.Count);
            foreach (var (name, value) in set.Items)
            {
                WriteText(name);
                WriteText(value);
            }
        }
    }

    private void WriteText(string text)
    {
        var size = Encoding.UTF8.GetByteCount(text);
        Reserve(size + 5);
        WriteVarint(size);
        _length += Encoding.UTF8.GetBytes(text, _block.AsSpan(_length));
    }

    private void WriteVarint(int value)
    {
        var rest = (uint)value;
        for (; rest > 0x7f; rest >>= 7)
            _block[_length++] = (byte)(rest | 0x80);
        _block[_length++] = (byte)rest;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_block.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Reserve(int size)
    {
        if (_block.Length - _length >= size)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_block.Length * 2, _length + size));
        _block.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_block);
        _block = larger;
    }
}
