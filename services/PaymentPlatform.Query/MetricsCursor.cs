using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaymentPlatform.Query;

/// <summary>The last item of a page, and the range that the first page resolved, so that a default of "now" stays where it was.</summary>
/// <param name="From">Microseconds since the Unix epoch, as are the other times.</param>
/// <param name="Keys">Currency, then the fields of <c>group_by</c> in the order of the list.</param>
public sealed record MetricsCursor(
    [property: JsonPropertyName("f")] long From,
    [property: JsonPropertyName("t")] long To,
    [property: JsonPropertyName("w")] long WindowStart,
    [property: JsonPropertyName("k"), JsonRequired] string[] Keys)
{
    public override string ToString() => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(this, QueryJsonContext.Default.MetricsCursor));

    public static MetricsCursor? TryParse(string text)
    {
        try
        {
            return Base64Url.IsValid(text)
                && JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), QueryJsonContext.Default.MetricsCursor) is { Keys: { } keys } cursor
                && keys.All(k => k is not null && !k.Contains('\0'))
                && Timestamps.IsInRange(cursor.From)
                && Timestamps.IsInRange(cursor.To)
                && Timestamps.IsInRange(cursor.WindowStart)
                    ? cursor
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
