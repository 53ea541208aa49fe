using System.Text.Json;

namespace PaymentPlatform.Query.Replay;

/// <summary>How far a replay is: what the claim of a chunk remembers, and from time to time the replay's row.</summary>
/// <param name="NextChunk">Number of the chunk that comes next.</param>
/// <param name="After">The last event that is in the target, in the order of arrival; null before the first.</param>
/// <param name="EventsDone">In the target.</param>
internal sealed record ReplayPosition(int NextChunk, EventCursor? After, long EventsDone)
{
    public static ReplayPosition Start { get; } = new(0, null, 0);

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, QueryJsonContext.Default.ReplayPosition);

    public static ReplayPosition Parse(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, QueryJsonContext.Default.ReplayPosition)!;
}
