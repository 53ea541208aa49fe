using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaymentPlatform.Query;

/// <summary>Times as RFC 3339, UTC, with six decimals.</summary>
public sealed class MicrosecondConverter : JsonConverter<DateTime>
{
    public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTime().ToUniversalTime();

    public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) => writer.WriteStringValue(EventJson.Format(value));
}
