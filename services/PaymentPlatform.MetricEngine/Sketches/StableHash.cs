using System.Buffers.Binary;
using System.Numerics;

namespace PaymentPlatform.MetricEngine.Sketches;

/// <summary>XXH64 with a fixed seed: the same on every machine and for ever, since sketches keep what it gives.</summary>
public static class StableHash
{
    private const ulong Prime1 = 0x9E3779B185EBCA87, Prime2 = 0xC2B2AE3D27D4EB4F, Prime3 = 0x165667B19E3779F9, Prime4 = 0x85EBCA77C2B2AE63, Prime5 = 0x27D4EB2F165667C5;

    /// <summary>Never to be changed: what was counted before would be counted again.</summary>
    private const ulong Seed = 0x5041594D454E5453; // "PAYMENTS"

    public static ulong Of(ReadOnlySpan<byte> utf8) => Of(utf8, Seed);

    internal static ulong Of(ReadOnlySpan<byte> data, ulong seed)
    {
        var hash = seed + Prime5;
        var length = (ulong)data.Length;
        if (data.Length >= 32)
        {
            ulong a = seed + Prime1 + Prime2, b = seed + Prime2, c = seed, d = seed - Prime1;
            for (; data.Length >= 32; data = data[32..])
            {
                a = Round(a, BinaryPrimitives.ReadUInt64LittleEndian(data));
                b = Round(b, BinaryPrimitives.ReadUInt64LittleEndian(data[8..]));
                c = Round(c, BinaryPrimitives.ReadUInt64LittleEndian(data[16..]));
                d = Round(d, BinaryPrimitives.ReadUInt64LittleEndian(data[24..]));
            }

            hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
            hash = Merge(Merge(Merge(Merge(hash, a), b), c), d);
        }

        hash += length;
        for (; data.Length >= 8; data = data[8..])
            hash = (BitOperations.RotateLeft(hash ^ Round(0, BinaryPrimitives.ReadUInt64LittleEndian(data)), 27) * Prime1) + Prime4;
        if (data.Length >= 4)
        {
            hash = (BitOperations.RotateLeft(hash ^ (BinaryPrimitives.ReadUInt32LittleEndian(data) * Prime1), 23) * Prime2) + Prime3;
            data = data[4..];
        }

        foreach (var value in data)
            hash = BitOperations.RotateLeft(hash ^ (value * Prime5), 11) * Prime1;
        hash = (hash ^ (hash >> 33)) * Prime2;
        hash = (hash ^ (hash >> 29)) * Prime3;
        return hash ^ (hash >> 32);
    }

    private static ulong Round(ulong state, ulong input) => BitOperations.RotateLeft(state + (input * Prime2), 31) * Prime1;

    private static ulong Merge(ulong hash, ulong state) => ((hash ^ Round(0, state)) * Prime1) + Prime4;
}
