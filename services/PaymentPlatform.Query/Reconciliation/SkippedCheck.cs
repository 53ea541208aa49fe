namespace PaymentPlatform.Query.Reconciliation;

/// <summary>What could not be compared, and so is neither right nor wrong.</summary>
/// <param name="Check"><c>contents</c>, <c>figures</c> or <c>dead_letters</c>.</param>
/// <param name="Subject">A file, or a span of time.</param>
public sealed record SkippedCheck(string Check, string Subject, string Reason);
