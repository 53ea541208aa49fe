using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query.Lifecycle;

/// <summary><c>POST /v1/archive/holds</c>, <c>GET</c> (the latest first), <c>DELETE /v1/archive/holds/{id}</c>: what the end of retention does not delete.</summary>
public static class HoldsApi
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;
    private const int MaxBytes = 16 << 10;
    private const string Columns = "hold_id, range_from, range_to, transaction_id, reason, placed_by, placed_at, released_by, released_at";

    public static void MapHoldsApi(this IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/archive/holds", PostAsync).RequireRole(AccessRole.Operate);
        app.MapGet("/v1/archive/holds", ListAsync).RequireRole(AccessRole.Operate);
        app.MapDelete("/v1/archive/holds/{id}", DeleteAsync).RequireRole(AccessRole.Operate);
    }

    private static async Task<IResult> PostAsync(HttpContext context, DatabaseTurns database, [FromServices] HeldFiles files)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;
        const string example = """{"transaction_id": "tx-1", "reason": "case 4711"}""";
        var (document, fault) = await RequestBody.ReadObjectAsync(context.Request, MaxBytes, "a JSON object with 'reason' and either 'transaction_id' or 'from' and 'to'", example, mayBeEmpty: false, context.RequestAborted);
        if (document is null)
            return fault!;
        using var _ = document;
        var members = new JsonMembers(document.RootElement);
        var (payment, from, to, reason) = (members.Text("transaction_id"), members.Time("from"), members.Time("to"), members.Text("reason"));
        if (reason is null)
            members.Fail("reason", "It is missing. Say why the events are held; it is kept.");
        if (payment is not null && (from ?? to) is not null)
            members.Fail("transaction_id", "Give it without 'from' and 'to': a hold is of a payment or of a range.");
        if (payment is null && (from is null || to is null))
            members.Fail(from is null ? "from" : "to", "Give 'from' and 'to' as RFC 3339 writes times, or 'transaction_id'.");
        if (from >= to)
            members.Fail("from", "It must lie before 'to'.");
        if (members.Problem() is { } wrong)
            return wrong;

        var by = context.User.Identity?.Name ?? "anonymous";
        // An insert whose answer was lost is tried again.
        var requestId = Guid.NewGuid();
        var item = await database.ExecuteAsync(
            async (connection, token) =>
            {
                const string insert = $"""
                    INSERT INTO legal_holds (range_from, range_to, transaction_id, reason, placed_by, request_id) VALUES ($1, $2, $3, $4, $5, $6)
                    ON CONFLICT (request_id) DO NOTHING RETURNING {Columns}
                    """;
                return await QueryAsync(
                    connection, insert, token,
                    Moment(from), Moment(to), new() { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)payment ?? DBNull.Value }, new() { Value = reason }, new() { Value = by }, new() { Value = requestId }) is [var made]
                    ? made
                    : (await QueryAsync(connection, $"SELECT {Columns} FROM legal_holds WHERE request_id = $1", token, new NpgsqlParameter { Value = requestId })).Single();
            },
            context.RequestAborted);
        return TypedResults.Json(new PlacedHold(item, await files.CountAsync(item, context.RequestAborted)), QueryJsonContext.Default.PlacedHold, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> ListAsync(HttpContext context, DatabaseTurns database)
    {
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var before = parameters.CursorId();
        if (parameters.Problem() is { } problem)
            return problem;

        var items = await database.ExecuteAsync(
            (connection, token) => QueryAsync(connection, $"SELECT {Columns} FROM legal_holds WHERE hold_id < $1 ORDER BY hold_id DESC LIMIT $2", token, new() { Value = before }, new() { Value = limit + 1 }),
            context.RequestAborted);
        return TypedResults.Json(Page<HoldItem>.Cut(items, limit, item => parameters.NextCursor(item.Id)), QueryJsonContext.Default.PageHoldItem);
    }

    /// <summary>Releases it; one that was released stays as it is.</summary>
    private static async Task<IResult> DeleteAsync(string id, HttpContext context, DatabaseTurns database)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;
        var by = context.User.Identity?.Name ?? "anonymous";
        var items = long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var key)
            ? await database.ExecuteAsync(
                (connection, token) => QueryAsync(
                    connection, $"UPDATE legal_holds SET released_by = coalesce(released_by, $2), released_at = coalesce(released_at, now()) WHERE hold_id = $1 RETURNING {Columns}", token,
                    new() { Value = key }, new() { Value = by }),
                context.RequestAborted)
            : [];
        return items is [var item]
            ? TypedResults.Json(item, QueryJsonContext.Default.HoldItem)
            : TypedResults.Problem("There is no hold with this id.", statusCode: 404, title: "Hold not found");
    }

    /// <summary>Holds of the payment, and those whose range holds one of the times, whether they still hold or not; the earliest first.</summary>
    internal static Task<List<HoldItem>> FindAsync(NpgsqlConnection connection, string transactionId, DateTime[] times, int limit, CancellationToken cancellationToken) => QueryAsync(
        connection,
        $"SELECT {Columns} FROM legal_holds WHERE transaction_id = $1 OR EXISTS (SELECT FROM unnest($2) AS t (time) WHERE t.time >= range_from AND t.time < range_to) ORDER BY hold_id LIMIT $3",
        cancellationToken,
        new() { Value = transactionId }, new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz, Value = times }, new() { Value = limit });

    private static NpgsqlParameter Moment(long? micros) => new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = micros is { } value ? Timestamps.ToDateTime(value) : DBNull.Value };

    private static async Task<List<HoldItem>> QueryAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<HoldItem>();
        while (await reader.ReadAsync(cancellationToken))
            items.Add(new(reader.GetInt64(0), Time(1), Time(2), Text(3), reader.GetString(4), reader.GetString(5), reader.GetDateTime(6), Text(7), Time(8)));
        return items;

        string? Text(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

        DateTime? Time(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetDateTime(ordinal);
    }
}
