namespace PaymentPlatform.Query.Audit;

/// <summary>Something that happened to a payment.</summary>
/// <param name="At">UTC.</param>
/// <param name="What">In few words, ours.</param>
/// <param name="Detail">May have what anybody has sent.</param>
internal sealed record AuditStep(DateTime At, string What, string Detail);
