using Microsoft.AspNetCore.Http.HttpResults;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/metrics/dynamic</c></summary>
public static class DynamicMetricsApi
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;
    private const long Day = 86_400_000_000;

    private static readonly string[] s_types = [.. Enum.GetNames<MetricType>().Select(t => t.ToLowerInvariant())];

    public static void MapDynamicMetricsApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/metrics/dynamic", GetAsync).RequireRole(AccessRole.Read);

    private static async Task<Results<JsonHttpResult<Page<DynamicMetricItem>>, ValidationProblem>> GetAsync(HttpContext context, DatabaseTurns database, LatestRules rules, TimeProvider timeProvider)
    {
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var kind = parameters.Choice("kind", DynamicMetricItem.Event, DynamicMetricItem.Window);
        var metricType = parameters.Choice("metric_type", s_types);
        var ruleName = parameters.Text("rule_name");
        var transactionId = parameters.Text("transaction_id");
        var (from, to) = parameters.Range();
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var cursor = parameters.Cursor(DynamicMetricsCursor.TryParse);
        if (parameters.Problem() is { } problem)
            return problem;

        to ??= cursor?.To;
        from ??= cursor?.From;
        // A transaction's hits are few, whenever they were.
        if (cursor is null && transactionId is null)
        {
            to ??= Timestamps.ToMicros(timeProvider.GetUtcNow().UtcDateTime);
            from ??= Math.Max(to.Value - Day, Timestamps.ToMicros(DateTime.MinValue));
        }

        var query = new DynamicMetricsQuery(metricType, ruleName, transactionId, from, to, cursor, limit, rules, kind);
        var items = await database.ExecuteAsync(query.RunAsync, context.RequestAborted);
        return TypedResults.Json(Page<DynamicMetricItem>.Cut(items, limit, item => parameters.NextCursor(query.CursorAt(item))), QueryJsonContext.Default.PageDynamicMetricItem);
    }
}
