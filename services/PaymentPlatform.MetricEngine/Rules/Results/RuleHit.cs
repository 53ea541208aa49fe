namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A rule's result for one event.</summary>
/// <param name="Rule">With its name, version and metric type.</param>
/// <param name="Value">Of decimal(19,4): 1, a field's value, or the count or sum that was reached.</param>
/// <param name="Data">A JSON object: what the hit is about.</param>
/// <param name="EventMicros">The event's own time, microseconds since the Unix epoch.</param>
/// <param name="Offset">In its partition.</param>
public readonly record struct RuleHit(
    RuleDefinition Rule, string TransactionId, string? CorrelationId, decimal Value, string Data, long EventMicros, long Offset, long EnqueuedAtMicros);
