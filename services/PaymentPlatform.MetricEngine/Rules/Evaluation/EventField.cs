namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>A field that some rule uses.</summary>
/// <param name="Index">Among the fields in use.</param>
/// <param name="Slot">Of a path into the JSON; -1 for columns.</param>
internal sealed record EventField(FieldPath Path, int Index, int Slot)
{
    public LiteralTable Literals { get; } = new();
}
