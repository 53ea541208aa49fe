using PaymentPlatform.Query.Reconciliation;

namespace PaymentPlatform.Standalone.Reconcile;

/// <summary>The options of <c>reconcile</c>, checked.</summary>
internal sealed record ReconcileOptions
{
    /// <summary>Null: the default one, unless <see cref="Connections"/> is there.</summary>
    public string? Data { get; init; }

    public string? Connections { get; init; }

    public bool Repair { get; init; }

    /// <summary>Microseconds since the Unix epoch.</summary>
    public long? From { get; init; }

    public long? To { get; init; }

    public ReconciliationDepth Depth { get; init; }

    public bool Json { get; init; }

    /// <summary><c>--Section:Key=value</c>.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];
}
