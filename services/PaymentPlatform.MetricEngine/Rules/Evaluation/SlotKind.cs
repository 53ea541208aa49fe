namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>What the JSON holds at a path.</summary>
internal enum SlotKind : byte
{
    /// <summary>Nothing, or null.</summary>
    Missing,
    Text,
    Number,
    True,
    False,
    Array,
    Object,
}
