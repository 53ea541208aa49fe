using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>The outcome of one check.</summary>
/// <param name="Agrees">No finding but for information.</param>
/// <param name="From">Of the figures and dead letters that were compared, inclusive.</param>
/// <param name="To">Exclusive.</param>
/// <param name="Findings">The first ones; <paramref name="FindingCount"/> counts all, those for information too.</param>
public sealed record ReconciliationReport(
    bool Agrees, DateTime From, DateTime To, ReconciliationCounts Checked, long FindingCount, IReadOnlyDictionary<string, long> FindingsByKind, IReadOnlyList<ReconciliationFinding> Findings,
    IReadOnlyList<SkippedCheck> Skipped, long ElapsedMs)
{
    /// <summary>Of <see cref="FindingsByKind"/> those that are disagreements.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, long> Disagreements => FindingsByKind.Where(kind => !FindingKind.IsInformation(kind.Key)).ToDictionary();

    /// <summary>Of <see cref="FindingsByKind"/> those that are known already, and no disagreement.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, long> Known => FindingsByKind.Where(kind => FindingKind.IsInformation(kind.Key)).ToDictionary();

    /// <summary>As the endpoint answers it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, QueryJsonContext.Default.ReconciliationReport);
}
