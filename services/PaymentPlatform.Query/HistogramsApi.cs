using Microsoft.AspNetCore.Http.HttpResults;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/metrics/histograms</c></summary>
public static class HistogramsApi
{
    private const int DefaultLimit = 1000;
    private const int MaxLimit = 10_000;

    public static void MapHistogramsApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/metrics/histograms", GetAsync).RequireRole(AccessRole.Read);

    private static async Task<Results<JsonHttpResult<Page<HistogramItem>>, ValidationProblem>> GetAsync(HttpContext context, DatabaseTurns database, TimeProvider timeProvider)
    {
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var metric = parameters.Choice("metric_type", "transaction_amount", "ingest_latency") ?? "transaction_amount";
        var (from, to) = parameters.Range();
        long? window = (parameters.Choice("granularity", "5m", "15m", "1h", "1d", "all") ?? "5m") switch
        {
            "15m" => 3 * HistogramsQuery.FiveMinutes,
            "1h" => HistogramsQuery.Hour,
            "1d" => HistogramsQuery.Day,
            "all" => null,
            _ => HistogramsQuery.FiveMinutes,
        };
        var groups = parameters.Choices("group_by", PaymentMetricsQuery.Dimensions);
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var cursor = parameters.Cursor(text => MetricsCursor.TryParse(text) is { Keys.Length: 3 } parsed ? parsed : null);
        if (parameters.Problem() is { } problem)
            return problem;

        // Amounts of several currencies are never one distribution.
        IReadOnlyList<string> fields = metric == "transaction_amount" ? [.. groups.Append("currency").Distinct()] : groups;
        to ??= cursor?.To ?? Timestamps.ToMicros(timeProvider.GetUtcNow().UtcDateTime);
        from ??= cursor?.From ?? Math.Max(to.Value - HistogramsQuery.Day, Timestamps.ToMicros(DateTime.MinValue));
        var unit = window ?? HistogramsQuery.FiveMinutes;
        var query = new HistogramsQuery(metric, HistogramsQuery.Floor(from.Value, unit), -HistogramsQuery.Floor(-to.Value, unit), window, fields, cursor, limit);
        var items = await database.ExecuteAsync(query.RunAsync, context.RequestAborted);
        return TypedResults.Json(Page<HistogramItem>.Cut(items, limit, item => parameters.NextCursor(query.CursorAt(item))), QueryJsonContext.Default.PageHistogramItem);
    }
}
