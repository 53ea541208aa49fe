namespace PaymentPlatform.Storage.Database.Rules;

/// <summary>A row of <c>rule_versions</c>: the rules as they were taken in, never changed afterwards.</summary>
/// <param name="Version">Counts up; the highest is the one that the metrics service works with as soon as it has seen it.</param>
/// <param name="Yaml">The file's text.</param>
/// <param name="CreatedBy">The caller, or <c>file</c> with the file's name, or <c>starter rules</c>; empty for a row that somebody wrote by hand without it.</param>
public sealed record RuleVersion(long Version, string Yaml, DateTime CreatedAt, string CreatedBy, string? Note);
