using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/pipeline</c></summary>
public static class PipelineApi
{
    public static void MapPipelineApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/pipeline", GetAsync).RequireRole(AccessRole.Read);

    private static async Task<Results<JsonHttpResult<Page<PipelineItem>>, ValidationProblem>> GetAsync(HttpContext context, DatabaseTurns database)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;

        var items = await database.ExecuteAsync(ReadAsync, context.RequestAborted);
        return TypedResults.Json(new Page<PipelineItem>(items, null), QueryJsonContext.Default.PagePipelineItem);
    }

    private static async Task<List<PipelineItem>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT consumer_group, stream, log_id, partition_id, position, end_offset, lag, owner
            FROM stream_lag
            ORDER BY consumer_group, stream, log_id, partition_id
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<PipelineItem>();
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(new(
                reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6),
                reader.IsDBNull(7) ? null : reader.GetString(7)));
        }

        return items;
    }
}
