using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/metrics/clusters</c></summary>
public static class ClustersApi
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;
    private const long Day = 86_400_000_000;

    public static void MapClustersApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/metrics/clusters", GetAsync).RequireRole(AccessRole.Read);

    private static async Task<Results<JsonHttpResult<Page<ClusterItem>>, ValidationProblem>> GetAsync(HttpContext context, DatabaseTurns database, TimeProvider timeProvider)
    {
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var (from, to) = parameters.Range();
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var cursor = parameters.Cursor(text => MetricsCursor.TryParse(text) is { Keys: [var key] } parsed && int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? parsed : null);
        if (parameters.Problem() is { } problem)
            return problem;

        var end = to ?? cursor?.To ?? Timestamps.ToMicros(timeProvider.GetUtcNow().UtcDateTime);
        var begin = from ?? cursor?.From ?? Math.Max(end - Day, Timestamps.ToMicros(DateTime.MinValue));
        var items = await database.ExecuteAsync((connection, token) => ReadAsync(connection, begin, end, cursor, limit, token), context.RequestAborted);
        return TypedResults.Json(
            Page<ClusterItem>.Cut(items, limit, item => parameters.NextCursor(new MetricsCursor(begin, end, Timestamps.ToMicros(item.WindowStart), [item.Cluster.ToString(CultureInfo.InvariantCulture)]))),
            QueryJsonContext.Default.PageClusterItem);
    }

    private static async Task<List<ClusterItem>> ReadAsync(NpgsqlConnection connection, long from, long to, MetricsCursor? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT window_start, window_start + interval '5 minutes', cluster, event_count, share, mean_amount, min_amount, max_amount, payment_method, payment_method_share, currency, currency_share, sampled_events
            FROM metric_clusters
            WHERE window_start >= @from AND window_start < @to {(after is null ? "" : "AND (window_start, cluster) > (@window, @cluster)")}
            ORDER BY window_start, cluster
            LIMIT @limit
            """,
            connection);
        command.Parameters.Add(new("from", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(from) });
        command.Parameters.Add(new("to", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(to) });
        command.Parameters.Add(new("limit", limit + 1L));
        if (after is not null)
        {
            command.Parameters.Add(new("window", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(after.WindowStart) });
            command.Parameters.Add(new("cluster", int.Parse(after.Keys[0], CultureInfo.InvariantCulture)));
        }

        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<ClusterItem>();
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(new(
                reader.GetDateTime(0), reader.GetDateTime(1), reader.GetInt32(2), reader.GetInt32(3), reader.GetDecimal(4), reader.GetDecimal(5), reader.GetDecimal(6), reader.GetDecimal(7),
                reader.GetString(8), reader.GetDecimal(9), reader.GetString(10), reader.GetDecimal(11), reader.GetInt32(12)));
        }

        return items;
    }
}
