using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaymentPlatform.Query;

/// <summary>The figures of one window, currency and group.</summary>
/// <param name="Groups">The fields of <c>group_by</c> but the currency, which every item has.</param>
/// <param name="Figures">The metrics that were asked for, exact; null where there is nothing to divide by.</param>
/// <param name="Countries">Events by country, where they were asked for.</param>
[JsonConverter(typeof(Converter))]
public sealed record PaymentMetricsItem(
    DateTime WindowStart, DateTime WindowEnd, string Currency, IReadOnlyList<KeyValuePair<string, string>> Groups, IReadOnlyList<KeyValuePair<string, ExactNumber?>> Figures, IReadOnlyDictionary<string, long>? Countries = null)
{
    /// <summary>Beside the same group of the window before, where that was asked for.</summary>
    public PaymentMetricsComparison? Comparison { get; init; }

    /// <summary>Currency, then the groups' values.</summary>
    [JsonIgnore]
    public IEnumerable<string> Keys => Groups.Select(g => g.Value).Prepend(Currency);

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
            WriteMetrics(writer, value);
            if (value.Comparison is { } comparison)
                WriteComparison(writer, value, comparison);
            writer.WriteEndObject();
        }

        private static void WriteMetrics(Utf8JsonWriter writer, PaymentMetricsItem value)
        {
            foreach (var (name, figure) in value.Figures)
                WriteNumber(writer, name, figure);
            if (value.Countries is null)
                return;
            writer.WriteStartObject("countries"u8);
            foreach (var (country, count) in value.Countries)
                writer.WriteNumber(country, count);
            writer.WriteEndObject();
        }

        private static void WriteComparison(Utf8JsonWriter writer, PaymentMetricsItem value, PaymentMetricsComparison comparison)
        {
            writer.WriteBoolean("in_progress"u8, comparison.IsInProgress);
            if (comparison.Previous is not { } previous)
            {
                writer.WriteNull("previous"u8);
                writer.WriteNull("change"u8);
                return;
            }

            writer.WriteStartObject("previous"u8);
            WriteMetrics(writer, previous);
            writer.WriteEndObject();
            writer.WriteStartObject("change"u8);
            foreach (var ((name, now), (_, before)) in value.Figures.Zip(previous.Figures))
                WriteNumber(writer, name, ExactNumbers.Change(before, now));
            writer.WriteEndObject();
        }

        private static void WriteNumber(Utf8JsonWriter writer, string name, ExactNumber? figure)
        {
            writer.WritePropertyName(name);
            if (figure is { } number)
                writer.WriteRawValue(number.Digits);
            else
                writer.WriteNullValue();
        }
    }
}
