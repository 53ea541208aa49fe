using System.Buffers.Binary;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>
/// Which partition a key belongs to: murmur2 of the key's bytes, sign bit off, modulo the number of partitions, as Kafka's default partitioner has it.
/// Stable for ever: changing it would tear the order of keys apart.
/// </summary>
internal static class KeyPartitioner
{
    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => (int)((Murmur2(key) & 0x7fffffff) % (uint)partitions);

    internal static uint Murmur2(ReadOnlySpan<byte> data)
    {
        const uint m = 0x5bd1e995;
        var h = 0x9747b28cu ^ (uint)data.Length;
        for (; data.Length >= 4; data = data[4..])
        {
            var k = BinaryPrimitives.ReadUInt32LittleEndian(data) * m;
            k = (k ^ (k >> 24)) * m;
            h = (h * m) ^ k;
        }

        if (data.Length > 2)
            h ^= (uint)data[2] << 16;
        if (data.Length > 1)
            h ^= (uint)data[1] << 8;
        if (data.Length > 0)
            h = (h ^ data[0]) * m;
        h = (h ^ (h >> 13)) * m;
        return h ^ (h >> 15);
    }
}
