using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaymentPlatform.Query;

/// <summary>The figures of one window, currency and group.</summary>
/// <param name="Groups">The fields of <c>group_by</c> but the currency, which every item has.</param>
/// <param name="Figures">The metrics that were asked for, exact; null where there is nothing to divide by.</param>
[JsonConverter(typeof(Converter))]
public sealed record PaymentMetricsItem(DateTime WindowStart, DateTime WindowEnd, string Currency, IReadOnlyList<KeyValuePair<string, string>> Groups, IReadOnlyList<KeyValuePair<string, ExactNumber?>> Figures)
{
    public sealed class Converter : JsonConverter<PaymentMetricsItem>
    {
        public override PaymentMetricsItem Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, PaymentMetricsItem value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            writer.WriteString("window_start"u8, EventJson.Format(value.WindowStart));
            writer.WriteString("window_end"u8, EventJson.Format(value.WindowEnd));
            writer.WriteString("currency"u8, value.Currency);
            foreach (var (name, text) in value.Groups)
                writer.WriteString(name, text);
            foreach (var (name, figure) in value.Figures)
            {
                writer.WritePropertyName(name);
                if (figure is { } number)
                    writer.WriteRawValue(number.Digits);
                else
                    writer.WriteNullValue();
            }

            writer.WriteEndObject();
        }
    }
}
