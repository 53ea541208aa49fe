namespace PaymentPlatform.Query.Audit;

/// <summary>The forms of an audit trail, chosen by <c>Accept</c>.</summary>
internal enum AuditFormat
{
    Json,
    Html,
}
