namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>What a file's expressions may name.</summary>
internal sealed record ExpressionScope(IReadOnlyDictionary<string, ThresholdTable> Thresholds, IReadOnlyDictionary<string, IReadOnlyList<string>> Lists);
