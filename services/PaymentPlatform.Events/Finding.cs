namespace PaymentPlatform.Events;

/// <summary>What the inspector found in one field.</summary>
/// <param name="Path">Names and indexes from the event's root, without card data.</param>
internal readonly record struct Finding(string Path, FindingKind Kind);
