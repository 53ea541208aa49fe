namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>What a rule's stateful form says.</summary>
internal sealed record StateParts(IReadOnlyList<FieldPath> Key, long WithinMicros, ThresholdTable? AtLeast, Expression? Other, FieldPath? Differs)
{
    public static readonly StateParts None = new([], 0, null, null, null);
}
