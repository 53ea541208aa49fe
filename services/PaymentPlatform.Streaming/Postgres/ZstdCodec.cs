using System.Collections.Concurrent;
using ZstdSharp;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Zstd contexts, kept for use again: each holds some megabytes.</summary>
internal static class ZstdCodec
{
    private const int Level = 1;
    private const int Kept = 8;
    private static readonly ConcurrentBag<Compressor> s_compressors = [];
    private static readonly ConcurrentBag<Decompressor> s_decompressors = [];

    public static int Bound(int length) => Compressor.GetCompressBound(length);

    public static int Compress(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var compressor = s_compressors.TryTake(out var kept) ? kept : new Compressor(Level);
        var length = compressor.Wrap(source, target);
        if (s_compressors.Count < Kept)
            s_compressors.Add(compressor);
        else
            compressor.Dispose();
        return length;
    }

    /// <exception cref="ZstdException">The source is damaged.</exception>
    public static int Decompress(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var decompressor = s_decompressors.TryTake(out var kept) ? kept : new Decompressor();
        try
        {
            return decompressor.Unwrap(source, target);
        }
        finally
        {
            if (s_decompressors.Count < Kept)
                s_decompressors.Add(decompressor);
            else
                decompressor.Dispose();
        }
    }
}
