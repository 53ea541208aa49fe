namespace PaymentPlatform.Simulator.Tests;

/// <summary>A line of the truth file, with its own names.</summary>
public sealed record TruthLine(string? transaction_id, string pattern, string family, string? group_id, long event_number, bool is_valid);
