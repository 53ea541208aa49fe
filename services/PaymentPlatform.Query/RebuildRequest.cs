namespace PaymentPlatform.Query;

/// <summary>The body of <c>POST /v1/metrics/rebuild</c>: times as RFC 3339 writes them, <c>[from, to)</c> of transaction time.</summary>
public sealed record RebuildRequest(string? From, string? To);
