namespace PaymentPlatform.MetricEngine.Rules;

internal enum FieldType
{
    Text,
    Number,
    Boolean,
    Time,

    /// <summary>Known with each event only: what the JSON holds.</summary>
    Any,
}
