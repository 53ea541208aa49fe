namespace PaymentPlatform.Query;

/// <summary>Rules as they were taken in.</summary>
/// <param name="Active">True for the newest: metrics works with it from the offsets in <paramref name="Activations"/> on.</param>
/// <param name="Rules">The YAML text.</param>
/// <param name="Activations">The partitions that have begun to work with it. One that gets no events begins with its next one.</param>
public sealed record RuleVersionItem(long Version, bool Active, DateTime CreatedAt, string CreatedBy, string? Note, string Rules, IReadOnlyList<RuleActivationItem> Activations);
