using System.Buffers;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>One bucket in the compact form.</summary>
internal static class BucketFormat
{
    /// <param name="window">The window's number since the epoch.</param>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> group, long window, in BucketValues values)
    {
        output.WriteBytes(group);
        output.WriteSigned(window);
        output.WriteUnsigned((ulong)values.Count);
        output.WriteUnsigned((ulong)values.Matched);
        output.WriteSigned(values.Sum);
        output.WriteSigned(values.Min);
        output.WriteSigned(values.Max);
    }

    public static BucketValues Read(ref BlobReader reader) => new()
    {
        Count = (long)reader.ReadUnsigned(),
        Matched = (long)reader.ReadUnsigned(),
        Sum = reader.ReadWideSigned(),
        Min = reader.ReadWideSigned(),
        Max = reader.ReadWideSigned(),
    };
}
