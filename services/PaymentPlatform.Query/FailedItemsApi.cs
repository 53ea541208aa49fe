using System.Data;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/failed-items</c> (the latest first) and <c>GET /v1/failed-items/{id}</c></summary>
public static class FailedItemsApi
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    private const string Columns = """
        id, transaction_id, correlation_id, message_id, error_type, error_message, errors::text, status, enqueued_at, failed_at, retry_count, last_retry_at, resolved_at, resolved_by, notes,
        stream, log_id, partition_id, stream_offset, octet_length(raw_payload)
        """;

    public static void MapFailedItemsApi(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/failed-items", ListAsync).RequireRole(AccessRole.Read);
        app.MapGet("/v1/failed-items/{id}", GetAsync).RequireRole(AccessRole.Read);
    }

    private static async Task<Results<JsonHttpResult<Page<FailedItemSummary>>, ValidationProblem>> ListAsync(HttpContext context, DatabaseTurns database)
    {
        var parameters = new QueryParameters(context.Request.Query);
        var (from, to) = parameters.Range();
        var status = parameters.Choice("status", "pending", "resubmitted", "resolved", "discarded");
        var errorType = parameters.Text("error_type");
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var before = parameters.Integer("cursor", long.MaxValue, 1, long.MaxValue);
        if (parameters.Problem() is { } problem)
            return problem;

        var items = await database.ExecuteAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(
                    $"""
                    SELECT {Columns}
                    FROM failed_items
                    WHERE id < @before
                      {(status is null ? "" : "AND status = @status")}
                      {(errorType is null ? "" : "AND error_type = @error_type")}
                      {(from is null ? "" : "AND failed_at >= @from")}
                      {(to is null ? "" : "AND failed_at < @to")}
                    ORDER BY id DESC
                    LIMIT @limit
                    """,
                    connection);
                command.Parameters.Add(new("before", before));
                command.Parameters.Add(new("limit", limit + 1L));
                if (status is not null)
                    command.Parameters.Add(new("status", status));
                if (errorType is not null)
                    command.Parameters.Add(new("error_type", errorType));
                if (from is not null)
                    command.Parameters.Add(new("from", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(from.Value) });
                if (to is not null)
                    command.Parameters.Add(new("to", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(to.Value) });
                await using var reader = await command.ExecuteReaderAsync(token);
                var rows = new List<FailedItemSummary>();
                while (await reader.ReadAsync(token))
                    rows.Add(Summary(reader));
                return rows;
            },
            context.RequestAborted);
        return TypedResults.Json(Page<FailedItemSummary>.Cut(items, limit, item => item.Id.ToString(CultureInfo.InvariantCulture)), QueryJsonContext.Default.PageFailedItemSummary);
    }

    private static async Task<Results<JsonHttpResult<FailedItem>, ValidationProblem, ProblemHttpResult>> GetAsync(string id, HttpContext context, DatabaseTurns database)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;

        var item = long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var key)
            ? await database.ExecuteAsync((connection, token) => FindAsync(connection, key, token), context.RequestAborted)
            : null;
        return item is null
            ? TypedResults.Problem("There is no dead letter with this id.", statusCode: 404, title: "Failed item not found")
            : TypedResults.Json(item, QueryJsonContext.Default.FailedItem);
    }

    private static async Task<FailedItem?> FindAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns}, raw_payload FROM failed_items WHERE id = $1", connection) { Parameters = { new() { Value = id } } };
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var payload = reader.GetFieldValue<byte[]>(20);
        var isText = Utf8.IsValid(payload);
        return new(Summary(reader), isText ? Encoding.UTF8.GetString(payload) : null, isText ? null : Convert.ToBase64String(payload));
    }

    private static FailedItemSummary Summary(NpgsqlDataReader reader)
    {
        using var errors = JsonDocument.Parse(reader.GetString(6), new() { MaxDepth = 1000 });
        return new(
            reader.GetInt64(0), Text(1), Text(2), Text(3), reader.GetString(4), reader.GetString(5), errors.RootElement.Clone(), reader.GetString(7), reader.GetDateTime(8), reader.GetDateTime(9),
            reader.GetInt32(10), Time(11), Time(12), Text(13), Text(14), reader.GetString(15), reader.GetString(16), reader.GetInt32(17), reader.GetInt64(18), reader.GetInt32(19));

        string? Text(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

        DateTime? Time(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetDateTime(ordinal);
    }
}
