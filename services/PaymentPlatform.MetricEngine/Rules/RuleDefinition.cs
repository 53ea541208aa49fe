using System.Security.Cryptography;
using System.Text;

namespace PaymentPlatform.MetricEngine.Rules;

/// <summary>One rule of a file, checked.</summary>
public sealed class RuleDefinition
{
    public required string Name { get; init; }

    /// <summary>From 1; raised by whoever changes the rule.</summary>
    public required int Version { get; init; }

    public required bool Enabled { get; init; }

    public required string Description { get; init; }

    public required MetricType MetricType { get; init; }

    public required RuleKind Kind { get; init; }

    /// <summary>Of the rule in its file, from 1.</summary>
    public required int Line { get; init; }

    /// <summary>Field names; of a derived rule those of the rules it is made of.</summary>
    public IReadOnlyList<string> GroupBy { get; internal set; } = [];

    /// <summary>Microseconds of a tumbling window; 0 for rules that have none.</summary>
    public long WindowMicros { get; internal set; }

    /// <summary>Microseconds of a sliding window, or how far back the other event may lie; 0 for rules that keep no state.</summary>
    public long WithinMicros { get; init; }

    /// <summary>Of a derived rule.</summary>
    public DerivedFormula? Formula { get; init; }

    /// <summary>Whether the rule keeps state by partition and key.</summary>
    public bool IsStateful => Kind is RuleKind.Sliding or RuleKind.RequiresEarlier or RuleKind.FollowedBy;

    /// <summary>SHA-256 of what the rule means (not of how it is laid out, described or switched), in hex: two rules with the same one give the same results.</summary>
    public string Hash => _hash ??= Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Canonical)));

    internal Expression? Condition { get; init; }

    internal Expression? Matching { get; init; }

    internal IReadOnlyList<FieldPath> GroupFields { get; init; } = [];

    internal FieldPath? Field { get; init; }

    /// <summary>Of a stateful rule: the partition key's field, then others.</summary>
    internal IReadOnlyList<FieldPath> Key { get; init; } = [];

    internal ThresholdTable? AtLeast { get; init; }

    /// <summary>What the other event of the key has to be; null: any.</summary>
    internal Expression? Other { get; init; }

    /// <summary>The field in which the two events have to differ.</summary>
    internal FieldPath? Differs { get; init; }

    /// <summary>Events that are older than the newest of their partition by more are left out of stateful rules; microseconds.</summary>
    public long LatenessMicros { get; init; }

    internal int MaxKeys { get; init; }

    internal string Canonical => string.Join(
        '|', Name, MetricType, Kind, Condition?.Canonical, Matching?.Canonical, string.Join(',', GroupFields.Select(f => f.Name)), Field?.Name, WindowMicros, WithinMicros,
        Formula?.Canonical, string.Join(',', Key.Select(f => f.Name)), AtLeast?.Canonical, Other?.Canonical, Differs?.Name, IsStateful ? $"{LatenessMicros},{MaxKeys}" : "");

    private string? _hash;
}
