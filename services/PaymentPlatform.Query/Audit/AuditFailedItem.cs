using System.Text.Json.Serialization;
using PaymentPlatform.Query.FailedItems;

namespace PaymentPlatform.Query.Audit;

/// <summary>A dead letter with its life.</summary>
/// <param name="PayloadSha256">Of its payload, hexadecimal.</param>
/// <param name="RawPayload">Null where the payload is long (<c>/v1/failed-items/{id}</c> has it) or not UTF-8; then <paramref name="RawPayloadBase64"/> has it.</param>
/// <param name="History">Each change, the oldest first.</param>
/// <param name="Resubmission">Where it went as another event; null unless that event is in the trail.</param>
/// <param name="Correction">What that event has differently, empty where it went out as it was; null unless the event is in the trail and both are short JSON objects.</param>
public sealed record AuditFailedItem(
    FailedItemSummary Summary,
    string PayloadSha256,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? RawPayload,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? RawPayloadBase64,
    IReadOnlyList<FailedItemChange> History,
    AuditPosition? Resubmission,
    IReadOnlyList<AuditChange>? Correction) : FailedItemSummary(Summary)
{
    [JsonIgnore]
    public FailedItemSummary Summary { get; } = Summary;
}
