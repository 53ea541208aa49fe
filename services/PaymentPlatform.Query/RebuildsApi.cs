using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>POST /v1/metrics/rebuild</c>, <c>GET /v1/metrics/rebuilds</c> (the latest first), <c>GET</c> and <c>DELETE /v1/metrics/rebuilds/{id}</c>. The metrics service does the work.</summary>
public static class RebuildsApi
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;
    private const string Columns = "id, range_from, range_to, state, phase, attempts, events_read, events_total, requested_by, requested_at, started_at, ended_at, error, rule_failures";
    private const string OneSql = $"SELECT {Columns} FROM metric_rebuilds WHERE id = $1";

    public static void MapRebuildsApi(this IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/metrics/rebuild", PostAsync).RequireRole(AccessRole.Operate);
        app.MapGet("/v1/metrics/rebuilds", ListAsync).RequireRole(AccessRole.Read);
        app.MapGet("/v1/metrics/rebuilds/{id}", GetAsync).RequireRole(AccessRole.Read);
        app.MapDelete("/v1/metrics/rebuilds/{id}", DeleteAsync).RequireRole(AccessRole.Operate);
    }

    private static async Task<IResult> PostAsync(HttpContext context, DatabaseTurns database, IOptions<QueryOptions> options, TimeProvider timeProvider)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;
        var (request, fault) = await RebuildRequest.ReadAsync(context.Request, timeProvider.GetUtcNow().UtcDateTime, options.Value.MaxRebuildRange, context.RequestAborted);
        if (request is not var (from, to))
            return fault!;

        var by = context.User.Identity?.Name ?? "anonymous";
        // An insert whose answer was lost is tried again.
        var requestId = Guid.NewGuid();
        var item = await database.ExecuteAsync(
            async (connection, token) =>
            {
                const string insert = $"INSERT INTO metric_rebuilds (range_from, range_to, requested_by, request_id) VALUES ($1, $2, $3, $4) ON CONFLICT (request_id) DO NOTHING RETURNING {Columns}";
                return await QueryAsync(connection, insert, token, Moment(from), Moment(to), new() { Value = by }, new() { Value = requestId }) is [var made]
                    ? made
                    : (await QueryAsync(connection, $"SELECT {Columns} FROM metric_rebuilds WHERE request_id = $1", token, new NpgsqlParameter { Value = requestId })).Single();
            },
            context.RequestAborted);
        context.Response.Headers.Location = $"/v1/metrics/rebuilds/{item.Id.ToString(CultureInfo.InvariantCulture)}";
        return TypedResults.Json(item, QueryJsonContext.Default.RebuildItem, statusCode: StatusCodes.Status202Accepted);
    }

    private static async Task<Results<JsonHttpResult<Page<RebuildItem>>, ValidationProblem>> ListAsync(HttpContext context, DatabaseTurns database)
    {
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var before = parameters.CursorId();
        if (parameters.Problem() is { } problem)
            return problem;

        var items = await database.ExecuteAsync(
            (connection, token) => QueryAsync(
                connection, $"SELECT {Columns} FROM metric_rebuilds WHERE id < $1 ORDER BY id DESC LIMIT $2", token, new() { Value = before }, new() { Value = limit + 1 }),
            context.RequestAborted);
        return TypedResults.Json(Page<RebuildItem>.Cut(items, limit, item => parameters.NextCursor(item.Id)), QueryJsonContext.Default.PageRebuildItem);
    }

    private static Task<IResult> GetAsync(string id, HttpContext context, DatabaseTurns database) =>
        AnswerAsync(id, context, database, OneSql);

    /// <summary>One that has ended stays as it is.</summary>
    private static Task<IResult> DeleteAsync(string id, HttpContext context, DatabaseTurns database) =>
        AnswerAsync(
            id, context, database,
            $"UPDATE metric_rebuilds SET state = 'cancelled', ended_at = now(), phase = NULL WHERE id = $1 AND state IN ('waiting', 'running') RETURNING {Columns}",
            OneSql);

    /// <param name="statements">The first that finds the rebuild gives the answer.</param>
    private static async Task<IResult> AnswerAsync(string id, HttpContext context, DatabaseTurns database, params string[] statements)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;
        var item = long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var key)
            ? await database.ExecuteAsync(
                async (connection, token) =>
                {
                    foreach (var sql in statements)
                    {
                        if (await QueryAsync(connection, sql, token, new NpgsqlParameter { Value = key }) is [var found])
                            return found;
                    }

                    return null;
                },
                context.RequestAborted)
            : null;
        return item is null
            ? TypedResults.Problem("There is no rebuild with this id.", statusCode: 404, title: "Rebuild not found")
            : TypedResults.Json(item, QueryJsonContext.Default.RebuildItem);
    }

    private static NpgsqlParameter Moment(long micros) => new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = Timestamps.ToDateTime(micros) };

    private static async Task<List<RebuildItem>> QueryAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<RebuildItem>();
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(new(
                reader.GetInt64(0), reader.GetDateTime(1), reader.GetDateTime(2), reader.GetString(3), Text(4), reader.GetInt32(5), reader.GetInt64(6), reader.IsDBNull(7) ? null : reader.GetInt64(7), reader.GetString(8),
                reader.GetDateTime(9), Moment(10), Moment(11), Text(12), reader.GetInt64(13)));
        }

        return items;

        string? Text(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

        DateTime? Moment(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetDateTime(ordinal);
    }
}
