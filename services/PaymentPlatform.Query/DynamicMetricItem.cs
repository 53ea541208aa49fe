using System.Text.Json;

namespace PaymentPlatform.Query;

/// <summary>What a rule found: a hit on one event, or its result over a window. Fields of the other kind are null.</summary>
/// <param name="Kind"><c>event</c> or <c>window</c>.</param>
/// <param name="Time">The event's time, or the window's start.</param>
/// <param name="MetricValue">Of an event, what the rule gave it. Of a window, by the rule's metric type: events (count), sum, sum over events (average), matched over events (ratio), a hundred times that (percentage), the expression (derived; null where a divisor is 0).</param>
/// <param name="GroupKey">Of a window.</param>
/// <param name="EventCount">Of a window that is not derived: events of the rule's scope.</param>
/// <param name="Matched">Of a window that is not derived: events that met the numerator's condition.</param>
/// <param name="MetricData">Of an event: what the rule saw.</param>
public sealed record DynamicMetricItem(
    string Kind,
    DateTime Time,
    string RuleName,
    string RuleVersion,
    string MetricType,
    ExactNumber? MetricValue,
    DateTime? WindowStart,
    DateTime? WindowEnd,
    string? GroupKey,
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
}
