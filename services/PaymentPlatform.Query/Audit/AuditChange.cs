namespace PaymentPlatform.Query.Audit;

/// <summary>A member that a correction changed.</summary>
/// <param name="Field">A path: <c>metadata.risk_score</c>.</param>
/// <param name="Before">As it stands in the payload: a text in quotes; of a member that is given several times, all values. Null: it was not there.</param>
/// <param name="After">Null: it is not there any more.</param>
public sealed record AuditChange(string Field, string? Before, string? After);
