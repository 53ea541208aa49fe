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
    private const int MaxKept = 8 << 20;

    // A compressor's context and the buffers take some megabytes, ten times a second.
    private static readonly ConcurrentBag<Workshop> s_workshops = [];

    public static byte[] Encode(MetricDelta delta)
    {
        var workshop = s_workshops.TryTake(out var kept) ? kept : new();
        var (raw, payload) = (workshop.Raw, workshop.Payload);
        raw.ResetWrittenCount();
        payload.ResetWrittenCount();
        delta.Write(raw);
        payload.WriteNumber((ulong)raw.WrittenCount);
        payload.Advance(workshop.Compressor.Wrap(raw.WrittenSpan, payload.GetSpan(Compressor.GetCompressBound(raw.WrittenCount))));
        var result = payload.WrittenSpan.ToArray();
        if (s_workshops.Count < Kept && raw.Capacity <= MaxKept)
            s_workshops.Add(workshop);
        else
            workshop.Compressor.Dispose();
        return result;
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

    private sealed class Workshop
    {
        public ArrayBufferWriter<byte> Raw { get; } = new(1 << 16);

        public ArrayBufferWriter<byte> Payload { get; } = new(1 << 16);

        public Compressor Compressor { get; } = new(1);
    }
}
