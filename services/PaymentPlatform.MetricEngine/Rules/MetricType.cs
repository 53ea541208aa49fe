namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>What a rule's figure is.</summary>
public enum MetricType
{
    /// <summary>How many events, or one a hit.</summary>
    Count,

    /// <summary>A field's values added up.</summary>
    Sum,

    /// <summary>A field's mean over the events that have it.</summary>
    Average,

    /// <summary>Matching events to all events of the rule's scope, 0 to 1.</summary>
    Ratio,

    /// <summary>The ratio times 100.</summary>
    Percentage,

    /// <summary>An expression over other rules' figures of the same group and window, computed when it is read.</summary>
    Derived,
}
