namespace PaymentPlatform.Query;

/// <summary>The answer to rules that were taken in; their text is in <c>GET /v1/rules</c>.</summary>
/// <param name="Version">The one that holds now.</param>
/// <param name="Hash">SHA-256 of the text, in hex.</param>
/// <param name="RuleCount">Of the file, also those that are switched off.</param>
/// <param name="Added">Names of the rules that the version of the rules before did not have, in the file's order.</param>
/// <param name="Changed">Names of those that had another version, meaning, description or switch there.</param>
/// <param name="Removed">Names of those that only it had.</param>
/// <param name="Warnings">What is allowed but hardly meant.</param>
public sealed record RulesTakenItem(
    long Version, string Hash, DateTime CreatedAt, string CreatedBy, string? Note, int RuleCount, IReadOnlyList<string> Added, IReadOnlyList<string> Changed, IReadOnlyList<string> Removed, IReadOnlyList<string> Warnings)
{
    /// <param name="before">The rules before it; null when there were none, or none that this process can read.</param>
    public static RulesTakenItem Of(Storage.Database.Rules.RuleVersion version, MetricEngine.Rules.RuleSet rules, MetricEngine.Rules.RuleSet? before)
    {
        var earlier = (before?.Rules ?? []).ToDictionary(r => r.Name);
        var names = rules.Rules.Select(r => r.Name).ToHashSet();
        return new(
            version.Version, rules.Hash, version.CreatedAt, version.CreatedBy, version.Note, rules.Rules.Count,
            [.. rules.Rules.Select(r => r.Name).Where(name => !earlier.ContainsKey(name))],
            [.. rules.Rules.Where(r => earlier.TryGetValue(r.Name, out var old) && (old.Version, old.Hash, old.Enabled, old.Description) != (r.Version, r.Hash, r.Enabled, r.Description)).Select(r => r.Name)],
            [.. earlier.Keys.Where(name => !names.Contains(name))],
            RuleWarnings.Of(rules));
    }
}
