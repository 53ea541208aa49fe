using System.Buffers;

namespace PaymentPlatform.Query;

/// <summary>
/// Collects a part of an answer before it goes out. Nothing is sent before the first flush: a fault up to there is still answered as a problem,
/// and the response's own writer would keep what was written before the fault.
/// </summary>
public sealed class ResponseBuffer(HttpResponse response) : IBufferWriter<byte>, IDisposable
{
    private const int FlushAt = 64 << 10;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FlushAt * 2);
    private int _written;

    public bool IsFull => _written >= FlushAt;

    public void Advance(int count) => _written += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return _buffer.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return _buffer.AsSpan(_written);
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_written == 0)
            return;
        await response.Body.WriteAsync(_buffer.AsMemory(0, _written), cancellationToken);
        _written = 0;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void Ensure(int sizeHint)
    {
        if (_buffer.Length - _written >= Math.Max(1, sizeHint))
            return;
        var larger = ArrayPool<byte>.Shared.Rent(checked(Math.Max(_buffer.Length * 2, _written + sizeHint)));
        _buffer.AsSpan(0, _written).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
