using Microsoft.AspNetCore.Http.HttpResults;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/metrics/payments</c></summary>
public static class PaymentMetricsApi
{
    private const int DefaultLimit = 1000;
    private const int MaxLimit = 10_000;
    private const long Day = 86_400_000_000;

    public static void MapPaymentMetricsApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/metrics/payments", GetAsync).RequireRole(AccessRole.Read);

    private static async Task<Results<JsonHttpResult<Page<PaymentMetricsItem>>, ValidationProblem>> GetAsync(HttpContext context, DatabaseTurns database, TimeProvider timeProvider)
    {
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var (from, to) = parameters.Range();
        var window = (parameters.Choice("granularity", "5m", "15m", "1h", "1d") ?? "5m") switch
        {
            "15m" => TimeSpan.FromMinutes(15),
            "1h" => TimeSpan.FromHours(1),
            "1d" => TimeSpan.FromDays(1),
            _ => TimeSpan.FromMinutes(5),
        };
        var groups = parameters.Choices("group_by", PaymentMetricsQuery.Dimensions);
        var metrics = parameters.Choices("metrics", PaymentMetricsQuery.AllMetrics);
        var compare = parameters.Choice("compare", "previous") is not null;
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var keys = groups.Except(["currency"]).Count() + 1;
        var cursor = parameters.Cursor(text => MetricsCursor.TryParse(text) is { } parsed && parsed.Keys.Length == keys ? parsed : null);
        if (parameters.Problem() is { } problem)
            return problem;

        var now = Timestamps.ToMicros(timeProvider.GetUtcNow().UtcDateTime);
        to ??= cursor?.To ?? now;
        from ??= cursor?.From ?? Math.Max(to.Value - Day, Timestamps.ToMicros(DateTime.MinValue));
        var query = new PaymentMetricsQuery(Floor(from.Value, window), -Floor(-to.Value, window), window, groups, metrics.Count > 0 ? metrics : PaymentMetricsQuery.DefaultMetrics, cursor, limit, compare ? now : null);
        var items = await database.ExecuteAsync(query.RunAsync, context.RequestAborted);
        return TypedResults.Json(Page<PaymentMetricsItem>.Cut(items, limit, item => parameters.NextCursor(query.CursorAt(item))), QueryJsonContext.Default.PagePaymentMetricsItem);
    }

    /// <summary>Half a window's figures don't exist: the range is widened to whole ones.</summary>
    private static long Floor(long micros, TimeSpan window)
    {
        var length = window.Ticks / TimeSpan.TicksPerMicrosecond;
        return micros - (((micros % length) + length) % length);
    }
}
