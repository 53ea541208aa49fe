using System.Numerics;

namespace PaymentPlatform.Ingest;

/// <summary>
/// Where a body is cut into chunks. Constants, not options: a retry under an Idempotency-Key must be cut as the first try was,
/// by whichever instance takes it and whatever its configuration.
/// </summary>
internal static class ChunkLimits
{
    /// <summary>A chunk ends with this many events.</summary>
    public const int Events = 1000;

    /// <summary>Or with the event that brings it to this many bytes. Together with the largest default event it fits a pooled array of 1 MiB.</summary>
    public const int Bytes = 767 << 10;

    /// <summary>What a chunk's buffer takes up: full but for one byte, plus the largest event, its line end and room to look one byte ahead.</summary>
    public static long BufferBytes(int maxEventBytes) => Rounded(Bytes + (long)maxEventBytes + 16);

    /// <summary>The pool hands out powers of two.</summary>
    public static long Rounded(long bytes) => (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(bytes, 4096));
}
