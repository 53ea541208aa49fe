using System.Text.Json.Serialization;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>One disagreement.</summary>
/// <param name="Kind">One of <see cref="FindingKind"/>.</param>
/// <param name="Severity"><c>error</c>, or <c>info</c> for what is known and no disagreement.</param>
/// <param name="Subject">The blob's name, <c>stream/log/partition</c>, the position, or the window with its method, currency and status.</param>
/// <param name="Expected">What the one side says: the manifest of blobs, the checkpoints of ranges, the archive of figures and dead letters.</param>
/// <param name="Actual">What the other side has.</param>
/// <param name="Repair">What to do.</param>
public sealed record ReconciliationFinding(string Kind, string Severity, string Subject, string? Expected, string? Actual, string Message, string? Repair)
{
    /// <summary>The live file whose blob is missing or damaged.</summary>
    [JsonIgnore]
    public Guid? FileId { get; init; }
}
