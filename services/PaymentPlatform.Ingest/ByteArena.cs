using System.Buffers;

namespace PaymentPlatform.Ingest;

/// <summary>Hands out small pieces of pooled memory that all live until <see cref="Reset"/>.</summary>
internal sealed class ByteArena
{
    private const int BlockSize = 64 << 10;

    private readonly List<byte[]> _large = [];
    private readonly List<byte[]> _blocks = [];
    private int _block = -1;
    private int _used = BlockSize;

    public Memory<byte> Allocate(int size)
    {
        if (size == 0)
            return default;
        if (size > BlockSize / 4)
        {
            var large = ArrayPool<byte>.Shared.Rent(size);
            _large.Add(large);
            return large.AsMemory(0, size);
        }

        if (_used + size > BlockSize)
        {
            if (++_block == _blocks.Count)
                _blocks.Add(ArrayPool<byte>.Shared.Rent(BlockSize));
            _used = 0;
        }

        var memory = _blocks[_block].AsMemory(_used, size);
        _used += size;
        return memory;
    }

    public ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> bytes)
    {
        var memory = Allocate(bytes.Length);
        bytes.CopyTo(memory.Span);
        return memory;
    }

    /// <summary>Voids all pieces; keeps one block for the next use.</summary>
    public void Reset()
    {
        foreach (var large in _large)
            ArrayPool<byte>.Shared.Return(large);
        _large.Clear();
        while (_blocks.Count > 1)
        {
            ArrayPool<byte>.Shared.Return(_blocks[^1]);
            _blocks.RemoveAt(_blocks.Count - 1);
        }

        _block = _blocks.Count - 1;
        _used = _blocks.Count == 0 ? BlockSize : 0;
    }
}
