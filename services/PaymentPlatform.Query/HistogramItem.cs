using System.Text.Json.Serialization;

namespace PaymentPlatform.Query;

/// <summary>Percentiles of one window and group.</summary>
/// <param name="Currency">Of amounts always; of other metrics where it is grouped by. Left out otherwise, as are the fields that are not grouped by.</param>
/// <param name="P50">Within 1 % of the exact value.</param>
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
    decimal? P99);
