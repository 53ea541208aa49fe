namespace PaymentPlatform.Query;

/// <summary>What is wrong with a file of rules.</summary>
/// <param name="Rule">The rule's name; null when the file as a whole is at fault.</param>
/// <param name="Line">From 1.</param>
public sealed record RuleErrorItem(string? Rule, int Line, string Message);
