using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaymentPlatform.Query.Replay;

/// <summary>How far a replay is: what the claim of a chunk remembers, and from time to time the replay's row.</summary>
/// <param name="NextChunk">Number of the chunk that comes next.</param>
/// <param name="After">The last event that is in the target, in the order of arrival; null before the first.</param>
/// <param name="EventsDone">In the target.</param>
/// <param name="EventsSkipped">Left out as too large for it.</param>
/// <param name="Skipped">The first of those.</param>
internal sealed record ReplayPosition(
    int NextChunk, EventCursor? After, long EventsDone,
    // Left out of the text where there are none: the claims of a replay hash it as they did before there could be any.
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long EventsSkipped = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] IReadOnlyList<SkippedEvent>? Skipped = null)
{
    /// <summary>How far it is through what it takes.</summary>
    [JsonIgnore]
    public long EventsPassed => EventsDone + EventsSkipped;

    public static ReplayPosition Start { get; } = new(0, null, 0);

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, QueryJsonContext.Default.ReplayPosition);

    public static ReplayPosition Parse(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, QueryJsonContext.Default.ReplayPosition)!;
}
