using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaymentPlatform.Query;

/// <summary>The last item of a page, and the range that the first page resolved.</summary>
/// <param name="From">Microseconds since the Unix epoch, as are the other times; null for no bound.</param>
/// <param name="IsWindow">At the same time events come before windows.</param>
/// <param name="Keys">Of an event: rule, stream, log, partition, offset. Of a window: rule, version, group, end.</param>
public sealed record DynamicMetricsCursor(
    [property: JsonPropertyName("f")] long? From,
    [property: JsonPropertyName("t")] long? To,
    [property: JsonPropertyName("a")] long Time,
    [property: JsonPropertyName("w")] bool IsWindow,
    [property: JsonPropertyName("k"), JsonRequired] string[] Keys)
{
    public override string ToString() => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(this, QueryJsonContext.Default.DynamicMetricsCursor));

    public static DynamicMetricsCursor? TryParse(string text)
    {
        try
        {
            return Base64Url.IsValid(text)
                && JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), QueryJsonContext.Default.DynamicMetricsCursor) is { Keys: { } keys } cursor
                && keys.All(k => k is not null && !k.Contains('\0'))
                && new[] { cursor.From ?? 0, cursor.To ?? 0, cursor.Time }.All(Timestamps.IsInRange)
                && (cursor.IsWindow
                    ? keys.Length == 4 && IsNumber<long>(keys[3]) && Timestamps.IsInRange(long.Parse(keys[3], CultureInfo.InvariantCulture))
                    : keys.Length == 5 && IsNumber<int>(keys[3]) && IsNumber<long>(keys[4]))
                    ? cursor
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsNumber<T>(string text)
        where T : System.Numerics.INumber<T> => T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
}
