using System.Text.Json.Serialization;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>A dead letter with its exact bytes and its life.</summary>
/// <param name="RawPayload">Null where the bytes are not UTF-8; then <paramref name="RawPayloadBase64"/> has them.</param>
/// <param name="History">Each change, the oldest first.</param>
public sealed record FailedItem(
    FailedItemSummary Summary,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? RawPayload,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? RawPayloadBase64,
    IReadOnlyList<FailedItemChange> History) : FailedItemSummary(Summary)
{
    [JsonIgnore]
    public FailedItemSummary Summary { get; } = Summary;
}
