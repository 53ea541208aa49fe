namespace PaymentPlatform.Metrics.Rebuild;

/// <param name="EventsTotal">Null until it is known.</param>
/// <param name="RuleFailures">Events on which the rules failed; their figures count.</param>
internal readonly record struct RebuildProgress(long EventsRead, long? EventsTotal, long RuleFailures);
