using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaymentPlatform.Query;

/// <summary>What a rule found: a hit on one event, or its result over a window. Fields of the other kind are null.</summary>
/// <param name="Kind"><c>event</c> or <c>window</c>.</param>
/// <param name="Time">The event's time, or the window's start.</param>
/// <param name="MetricValue">Of an event, what the rule gave it. Of a window, by the rule's metric type: events (count), sum, sum over events (average), matched over events (ratio), a hundred times that (percentage), the expression (derived; null where a divisor is 0).</param>
/// <param name="GroupKey">Of a window: a JSON array of the values of the rule's <c>group_by</c> in its order, each a text or null.</param>
/// <param name="EventCount">Of a window that is not derived: events of the rule's scope.</param>
/// <param name="Matched">Of a window that is not derived: events that met the numerator's condition.</param>
/// <param name="MetricData">Of an event: what the rule saw.</param>
public sealed record DynamicMetricItem(
    string Kind,
    DateTime Time,
    string RuleName,
    [property: JsonConverter(typeof(DynamicMetricItem.VersionConverter))] string RuleVersion,
    string MetricType,
    ExactNumber? MetricValue,
    DateTime? WindowStart,
    DateTime? WindowEnd,
    [property: JsonConverter(typeof(DynamicMetricItem.GroupConverter))] string? GroupKey,
    long? EventCount,
    long? Matched,
    string? TransactionId,
    string? CorrelationId,
    JsonElement? MetricData,
    string? Stream,
    string? StreamLogId,
    int? StreamPartition,
    long? StreamOffset)
{
    public const string Event = "event", Window = "window";

    public sealed class VersionConverter : JsonConverter<string>
    {
        public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options)
        {
            // A rule's version is a number; the column is text.
            if (long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                writer.WriteNumberValue(number);
            else
                writer.WriteStringValue(value);
        }
    }

    public sealed class GroupConverter : JsonConverter<string>
    {
        public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteRawValue(value);
    }
}
