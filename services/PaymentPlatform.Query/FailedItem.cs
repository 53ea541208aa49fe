using System.Text.Json.Serialization;

namespace PaymentPlatform.Query;

/// <summary>A dead letter with its exact bytes.</summary>
/// <param name="RawPayload">Null where the bytes are not UTF-8; then <paramref name="RawPayloadBase64"/> has them.</param>
public sealed record FailedItem(
    FailedItemSummary Summary,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? RawPayload,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? RawPayloadBase64) : FailedItemSummary(Summary)
{
    [JsonIgnore]
    public FailedItemSummary Summary { get; } = Summary;
}
