namespace PaymentPlatform.Faults.Scenarios;

/// <summary>Valid events of [From, To) by transaction time, into a stream of their own.</summary>
internal sealed record ReplayOrder(string Target, DateTime From, DateTime To);
