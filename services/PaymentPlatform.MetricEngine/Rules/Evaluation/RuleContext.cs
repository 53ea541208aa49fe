namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>One event on its way through the rules.</summary>
/// <param name="Newest">Time of the partition's newest event, this one included.</param>
internal readonly record struct RuleContext(EventView Event, RuleOutput Output, long Newest, long Offset, long EnqueuedAtMicros);
