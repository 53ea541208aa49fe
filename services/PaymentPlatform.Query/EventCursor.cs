using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaymentPlatform.Query;

/// <summary>The place of an event in the order of <c>/v1/events</c>, and the files that the listing was begun over: every page shows the same events, whatever arrives or is rewritten meanwhile.</summary>
/// <param name="Time">Microseconds since the Unix epoch.</param>
/// <param name="Generation"><see cref="ManifestView.Generation"/></param>
public sealed record EventCursor(
    [property: JsonPropertyName("t")] long Time,
    [property: JsonPropertyName("l"), JsonRequired] string LogId,
    [property: JsonPropertyName("p")] int Partition,
    [property: JsonPropertyName("o")] long Offset,
    [property: JsonPropertyName("g"), JsonRequired] long Generation)
{
    public override string ToString() => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(this, QueryJsonContext.Default.EventCursor));

    public static EventCursor? TryParse(string text)
    {
        try
        {
            return Base64Url.IsValid(text)
                && JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), QueryJsonContext.Default.EventCursor) is { LogId: { } log } cursor
                && !log.Contains('\0')
                && Timestamps.IsInRange(cursor.Time)
                    ? cursor
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
