using System.Buffers;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>One row of stream_batches on its way. The payload is pooled: give it back with <see cref="Return"/>.</summary>
internal readonly record struct EncodedBatch(int Partition, int Count, int UncompressedBytes, byte[] Buffer, int Size)
{
    public ReadOnlyMemory<byte> Payload => Buffer.AsMemory(0, Size);

    public void Return() => ArrayPool<byte>.Shared.Return(Buffer);
}
