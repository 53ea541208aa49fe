using System.Buffers.Binary;
using System.Numerics;

namespace PaymentPlatform.Streaming.EventHubs;

/// <summary>
/// Which partition the service would give a partition key: Bob Jenkins' lookup3 over its UTF-8 bytes, both halves xored, the low 16 bits as a signed number, modulo the number of partitions.
/// Messages of many keys can go out in one batch a partition this way, and still lie where a producer that leaves the choice to the service puts the same key.
/// </summary>
internal static class HubPartitioner
{
    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => Math.Abs(Hash(key) % partitions);

    internal static short Hash(ReadOnlySpan<byte> key)
    {
        var a = 0xdeadbeef + (uint)key.Length;
        var (b, c) = (a, a);
        for (; key.Length > 12; key = key[12..])
        {
            a += BinaryPrimitives.ReadUInt32LittleEndian(key);
            b += BinaryPrimitives.ReadUInt32LittleEndian(key[4..]);
            c += BinaryPrimitives.ReadUInt32LittleEndian(key[8..]);
            Mix(ref a, ref b, ref c);
        }

        if (key.IsEmpty)
            return (short)(c ^ b);
        // What is missing of the last twelve bytes counts as zero.
        Span<byte> rest = stackalloc byte[12];
        rest.Clear();
        key.CopyTo(rest);
        a += BinaryPrimitives.ReadUInt32LittleEndian(rest);
        b += BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
        c += BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]);
        Finish(ref a, ref b, ref c);
        return (short)(c ^ b);
    }

    private static void Mix(ref uint a, ref uint b, ref uint c)
    {
        Step(ref a, ref b, ref c, 4);
        Step(ref b, ref c, ref a, 6);
        Step(ref c, ref a, ref b, 8);
        Step(ref a, ref b, ref c, 16);
        Step(ref b, ref c, ref a, 19);
        Step(ref c, ref a, ref b, 4);

        static void Step(ref uint x, ref uint y, ref uint z, int bits)
        {
            x = (x - z) ^ BitOperations.RotateLeft(z, bits);
            z += y;
        }
    }

    private static void Finish(ref uint a, ref uint b, ref uint c)
    {
        Step(ref c, b, 14);
        Step(ref a, c, 11);
        Step(ref b, a, 25);
        Step(ref c, b, 16);
        Step(ref a, c, 4);
        Step(ref b, a, 14);
        Step(ref c, b, 24);

        static void Step(ref uint x, uint y, int bits) => x = (x ^ y) - BitOperations.RotateLeft(y, bits);
    }
}
