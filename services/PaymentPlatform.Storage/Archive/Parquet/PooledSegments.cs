using System.Buffers;

namespace PaymentPlatform.Storage.Archive.Parquet;

/// <summary>Bytes that are written once and then only read, in pooled pieces.</summary>
internal sealed class PooledSegments : IDisposable
{
    private const int SegmentSize = 1 << 20;

    private readonly List<byte[]> _segments = [];
    private int _lastLength;

    public long Length { get; private set; }

    public long Held => (long)_segments.Count * SegmentSize;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_segments.Count == 0 || _lastLength == SegmentSize)
            {
                _segments.Add(ArrayPool<byte>.Shared.Rent(SegmentSize));
                _lastLength = 0;
            }

            var count = Math.Min(bytes.Length, SegmentSize - _lastLength);
            bytes[..count].CopyTo(_segments[^1].AsSpan(_lastLength));
            _lastLength += count;
            Length += count;
            bytes = bytes[count..];
        }
    }

    public void AddTo(List<ReadOnlyMemory<byte>> memories)
    {
        for (var i = 0; i < _segments.Count; i++)
            memories.Add(_segments[i].AsMemory(0, i == _segments.Count - 1 ? _lastLength : SegmentSize));
    }

    public void Dispose()
    {
        foreach (var segment in _segments)
            ArrayPool<byte>.Shared.Return(segment);
        _segments.Clear();
        _lastLength = 0;
        Length = 0;
    }
}
