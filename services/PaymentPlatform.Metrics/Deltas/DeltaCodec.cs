using System.Buffers;
using System.Collections.Concurrent;
using PaymentPlatform.MetricEngine.Sketches;
using ZstdSharp;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>A row's payload: the length of the delta's bytes, then the bytes, compressed.</summary>
internal static class DeltaCodec
{
    private const int MaxLength = 1 << 29;
    private const int Kept = 4;

    // A context holds some megabytes.
    private static readonly ConcurrentBag<Compressor> s_compressors = [];

    public static byte[] Encode(MetricDelta delta)
    {
        var raw = new ArrayBufferWriter<byte>(1 << 16);
        delta.Write(raw);
        var payload = new ArrayBufferWriter<byte>();
        payload.WriteNumber((ulong)raw.WrittenCount);
        var compressor = s_compressors.TryTake(out var kept) ? kept : new Compressor(1);
        payload.Advance(compressor.Wrap(raw.WrittenSpan, payload.GetSpan(Compressor.GetCompressBound(raw.WrittenCount))));
        if (s_compressors.Count < Kept)
            s_compressors.Add(compressor);
        else
            compressor.Dispose();
        return payload.WrittenSpan.ToArray();
    }

    /// <exception cref="SketchFormatException">The payload is damaged, or of a newer version.</exception>
    public static void MergeInto(MetricDelta delta, ReadOnlySpan<byte> payload)
    {
        var reader = new SketchReader(payload, "row of metric_deltas");
        var raw = new byte[reader.ReadNumber(MaxLength)];
        try
        {
            using var decompressor = new Decompressor();
            if (decompressor.Unwrap(reader.ReadBytes(reader.Remaining), raw) != raw.Length)
                throw reader.Bad("their length is not the one they state");
        }
        catch (ZstdException exception)
        {
            throw reader.Bad(exception.Message);
        }

        delta.Merge(raw);
    }
}
