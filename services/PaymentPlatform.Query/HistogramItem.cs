using System.Text.Json.Serialization;

namespace PaymentPlatform.Query;

/// <summary>Percentiles of one window and group.</summary>
/// <param name="Currency">Of amounts always; of other metrics where it is grouped by. Left out otherwise, as are the fields that are not grouped by.</param>
/// <param name="P50">Within 1 % of the exact value; of amounts, within the least and the largest of the group (<see cref="HistogramsQuery"/> says how far).</param>
public sealed record HistogramItem(
    DateTime WindowStart,
    DateTime WindowEnd,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Currency,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? PaymentMethod,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? PaymentStatus,
    long EventCount,
    decimal? P50,
    decimal? P90,
    decimal? P95,
    decimal? P99)
{
    /// <summary>A percentile is among the smallest values or the largest, as far as the sketch tells them apart: it may lie beyond them.</summary>
    [JsonIgnore]
    public bool IsAtEdge { get; init; }
}
