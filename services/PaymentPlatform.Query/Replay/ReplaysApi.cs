using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.ServiceDefaults.Access;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Query.Replay;

/// <summary><c>POST /v1/replays</c>, <c>GET /v1/replays</c> (the latest first), <c>GET</c> and <c>DELETE /v1/replays/{id}</c>, <c>POST /v1/replays/{id}/resume</c>. <see cref="ReplayService"/> does the work.</summary>
public static class ReplaysApi
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;

    /// <summary>A slow replay goes in small steps, several a second.</summary>
    private const int MaxChunkEvents = 1000, ChunksPerSecond = 5;

    private const string Columns =
        "id, range_from, range_to, filter, target, rate, allow_live, state, attempts, events_done, events_total, events_per_second, requested_by, requested_at, started_at, CASE WHEN state <> 'stopped' OR coalesce(lease_until <= statement_timestamp(), true) THEN ended_at END, error, "
        + "on_oversized, position, renewed_at, coalesce(lease_until > statement_timestamp(), false)";

    private const string OneSql = $"SELECT {Columns} FROM replays WHERE id = $1";

    /// <summary>One snapshot: what the archiver has committed is what the manifest shows.</summary>
    private const string InsertSql = $"""
        WITH archive AS (
          SELECT max(max_enqueued_at) AS newest,
                 sum(row_count) FILTER (WHERE (max_transaction_timestamp >= $2 AND min_transaction_timestamp < $3)
                   OR ($9 AND valid_count IS DISTINCT FROM row_count AND max_enqueued_at >= $2 AND min_enqueued_at < $3)) AS events
          FROM raw_event_files WHERE state = 'live' AND row_count > 0
        ), made AS (
          INSERT INTO replays (id, range_from, range_to, filter, target, rate, allow_live, chunk_events, arrived_before, events_total, requested_by, on_oversized)
          SELECT $1, $2, $3, $4, $5, $6, $7, $8, coalesce(newest + interval '1 microsecond', now()), coalesce(events, 0), $10, $11 FROM archive
          ON CONFLICT (id) DO NOTHING
          RETURNING {Columns}
        ), spans AS (
          INSERT INTO replay_spans (replay_id, stream, log_id, partition_id, next_offset)
          SELECT made.id, c.stream, c.log_id, c.partition_id, c.next_offset FROM made, stream_checkpoints c WHERE c.consumer_group = 'archiver'
        )
        SELECT * FROM made
        """;

    public static void MapReplaysApi(this IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/replays", PostAsync).RequireRole(AccessRole.Operate);
        app.MapGet("/v1/replays", ListAsync).RequireRole(AccessRole.Read);
        app.MapGet("/v1/replays/{id}", GetAsync).RequireRole(AccessRole.Read);
        app.MapDelete("/v1/replays/{id}", DeleteAsync).RequireRole(AccessRole.Operate);
        app.MapPost("/v1/replays/{id}/resume", ResumeAsync).RequireRole(AccessRole.Operate);
    }

    private static async Task<IResult> PostAsync(HttpContext context, DatabaseTurns database, StreamTargets targets, TimeProvider time)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;
        var (request, fault) = await ReplayRequest.ReadAsync(context.Request, targets, context.RequestAborted);
        if (request is null)
            return fault!;

        var id = Guid.CreateVersion7();
        var item = await database.ExecuteAsync(
            async (connection, token) =>
                // Nothing comes back where a first attempt was committed without our hearing of it.
                await QueryAsync(connection, InsertSql, time, token, Insert(request, id, context.User.Identity?.Name ?? "anonymous")) is [var made]
                    ? made
                    : (await QueryAsync(connection, OneSql, time, token, new NpgsqlParameter { Value = id })).Single(),
            context.RequestAborted);
        return Accepted(context, item);
    }

    private static async Task<Results<JsonHttpResult<Page<ReplayItem>>, ValidationProblem>> ListAsync(HttpContext context, DatabaseTurns database, TimeProvider time)
    {
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var before = parameters.Cursor<object>(text => Guid.TryParseExact(text, "D", out var id) ? id : null);
        if (parameters.Problem() is { } problem)
            return problem;

        var items = await database.ExecuteAsync(
            (connection, token) => QueryAsync(
                connection, $"SELECT {Columns} FROM replays WHERE $1 IS NULL OR id < $1 ORDER BY id DESC LIMIT $2", time, token,
                new() { Value = before ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid }, new() { Value = limit + 1 }),
            context.RequestAborted);
        return TypedResults.Json(Page<ReplayItem>.Cut(items, limit, item => parameters.NextCursor(item.Id)), QueryJsonContext.Default.PageReplayItem);
    }

    private static Task<IResult> GetAsync(string id, HttpContext context, DatabaseTurns database, TimeProvider time) =>
        AnswerAsync(id, new(context.Request.Query), context, database, time, Ok, OneSql);

    /// <summary>What was published stays. One that is done stays as it is. A process that works on it ends the chunk that is under way, and then says that it has.</summary>
    private static Task<IResult> DeleteAsync(string id, HttpContext context, DatabaseTurns database, TimeProvider time) =>
        AnswerAsync(
            id, new(context.Request.Query), context, database, time, Ok,
            $"UPDATE replays SET state = 'stopped', ended_at = clock_timestamp(), lease_until = CASE WHEN state = 'running' THEN lease_until END WHERE id = $1 AND state IN ('waiting', 'running', 'failed') RETURNING {Columns}",
            OneSql);

    /// <summary>A failed one goes on where it was; <c>on_oversized</c> says anew what becomes of events that are too large.</summary>
    private static Task<IResult> ResumeAsync(string id, HttpContext context, DatabaseTurns database, TimeProvider time)
    {
        var parameters = new QueryParameters(context.Request.Query);
        var onOversized = parameters.Choice("on_oversized", "fail", "skip");
        return AnswerAsync(
            id, parameters, context, database, time,
            (replay, item) => item.State is "waiting" or "running"
                ? Accepted(replay, item)
                : TypedResults.Problem($"The replay is {item.State}: only one that failed can go on. Make a new one.", statusCode: 409, title: "Replay has ended"),
            $"UPDATE replays SET state = 'waiting', faults = 0, not_before = NULL, ended_at = NULL, error = NULL, on_oversized = coalesce({(onOversized is null ? "NULL" : $"'{onOversized}'")}, on_oversized) WHERE id = $1 AND state = 'failed' RETURNING {Columns}",
            OneSql);
    }

    /// <param name="statements">The first that finds the replay gives the answer.</param>
    private static async Task<IResult> AnswerAsync(
        string id, QueryParameters parameters, HttpContext context, DatabaseTurns database, TimeProvider time, Func<HttpContext, ReplayItem, IResult> answer, params string[] statements)
    {
        if (parameters.Problem() is { } problem)
            return problem;
        var item = Guid.TryParseExact(id, "D", out var key)
            ? await database.ExecuteAsync(
                async (connection, token) =>
                {
                    foreach (var sql in statements)
                    {
                        if (await QueryAsync(connection, sql, time, token, new NpgsqlParameter { Value = key }) is [var found])
                            return found;
                    }

                    return null;
                },
                context.RequestAborted)
            : null;
        return item is null ? TypedResults.Problem("There is no replay with this id.", statusCode: 404, title: "Replay not found") : answer(context, item);
    }

    private static JsonHttpResult<ReplayItem> Ok(HttpContext context, ReplayItem item) => TypedResults.Json(item, QueryJsonContext.Default.ReplayItem);

    private static JsonHttpResult<ReplayItem> Accepted(HttpContext context, ReplayItem item)
    {
        context.Response.Headers.Location = $"/v1/replays/{item.Id}";
        return TypedResults.Json(item, QueryJsonContext.Default.ReplayItem, statusCode: StatusCodes.Status202Accepted);
    }

    /// <summary>Those of the replays that there are, the earliest first.</summary>
    internal static Task<List<ReplayItem>> FindAsync(NpgsqlConnection connection, Guid[] ids, TimeProvider time, CancellationToken cancellationToken) =>
        QueryAsync(connection, $"SELECT {Columns} FROM replays WHERE id = ANY ($1) ORDER BY id", time, cancellationToken, new NpgsqlParameter { Value = ids });

    private static NpgsqlParameter[] Insert(ReplayRequest request, Guid id, string by) =>
    [
        new() { Value = id },
        Moment(request.From),
        Moment(request.To),
        new() { Value = request.Filter, NpgsqlDbType = NpgsqlDbType.Jsonb },
        new() { Value = request.Target },
        new() { Value = (object?)request.Rate ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Double },
        new() { Value = request.AllowLive },
        new() { Value = (int)Math.Clamp(Math.Ceiling((request.Rate ?? double.MaxValue) / ChunksPerSecond), 1, MaxChunkEvents) },
        new() { Value = request.Axis == TimeAxis.TransactionOrArrival },
        new() { Value = by },
        new() { Value = request.OnOversized },
    ];

    private static NpgsqlParameter Moment(long micros) => new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = Timestamps.ToDateTime(micros) };

    private static async Task<List<ReplayItem>> QueryAsync(NpgsqlConnection connection, string sql, TimeProvider time, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<ReplayItem>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var (state, done, total, speed, isHeld) = (reader.GetString(7), reader.GetInt64(9), reader.GetInt64(10), Number(11), reader.GetBoolean(20));
            var position = reader.IsDBNull(18) ? ReplayPosition.Start : ReplayPosition.Parse(Encoding.UTF8.GetBytes(reader.GetString(18)));
            items.Add(new(
                reader.GetGuid(0), reader.GetDateTime(1), reader.GetDateTime(2), JsonElement.Parse(reader.GetString(3)), reader.GetString(4), Number(5), reader.GetBoolean(6),
                state == "stopped" && isHeld ? "stopping" : state, reader.GetInt32(8), done, total, speed,
                state == "running" && speed > 0 ? EndOf(total - done - position.EventsSkipped, speed.Value, time) : null, reader.GetString(12), reader.GetDateTime(13), Time(14), Time(15), reader.IsDBNull(16) ? null : reader.GetString(16),
                reader.GetString(17), position.EventsSkipped, position.Skipped ?? [], state == "running" || isHeld ? Time(19) : null));
        }

        return items;

        double? Number(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetDouble(ordinal);

        DateTime? Time(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetDateTime(ordinal);
    }

    /// <summary>Null where it is too far away to be a time.</summary>
    private static DateTime? EndOf(long events, double eventsPerSecond, TimeProvider time)
    {
        var seconds = events / eventsPerSecond;
        var now = time.GetUtcNow().UtcDateTime;
        return seconds < (DateTime.MaxValue - now).TotalSeconds ? now.AddSeconds(seconds) : null;
    }
}
