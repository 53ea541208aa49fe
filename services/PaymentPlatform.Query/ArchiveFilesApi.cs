using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/archive/files</c>: the live files, the latest first.</summary>
public static class ArchiveFilesApi
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    public static void MapArchiveFilesApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/archive/files", ListAsync).RequireRole(AccessRole.Read);

    private static async Task<Results<JsonHttpResult<Page<ArchiveFileItem>>, ValidationProblem>> ListAsync(HttpContext context, DatabaseTurns database)
    {
        var parameters = new QueryParameters(context.Request.Query);
        var (from, to) = parameters.Range();
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var before = parameters.Cursor(text => Guid.TryParseExact(text, "N", out var id) ? id.ToString("D") : null);
        if (parameters.Problem() is { } problem)
            return problem;

        var items = await database.ExecuteAsync((connection, token) => ReadAsync(connection, from, to, before, limit, token), context.RequestAborted);
        return TypedResults.Json(Page<ArchiveFileItem>.Cut(items, limit, item => item.FileId.ToString("N", CultureInfo.InvariantCulture)), QueryJsonContext.Default.PageArchiveFileItem);
    }

    private static async Task<List<ArchiveFileItem>> ReadAsync(NpgsqlConnection connection, long? from, long? to, string? before, int limit, CancellationToken cancellationToken)
    {
        // File ids are UUIDs of version 7: their order is that of time, and the primary key serves it. A file without any transaction time is found by its arrival.
        await using var command = new NpgsqlCommand(
            $"""
            SELECT file_id, blob_name, row_count, valid_count, byte_size, sha256, min_transaction_timestamp, max_transaction_timestamp, min_enqueued_at, max_enqueued_at, archived_at, schema_version, tier,
              (SELECT json_agg(json_build_object('stream', stream, 'log_id', log_id, 'partition_id', partition_id, 'first_offset', first_offset, 'next_offset', next_offset) ORDER BY stream, log_id, partition_id, first_offset)
               FROM raw_event_ranges r WHERE r.file_id = f.file_id)::text
            FROM raw_event_files f
            WHERE state = 'live'
              {(before is null ? "" : "AND file_id < @before::uuid")}
              {(from is null ? "" : "AND COALESCE(max_transaction_timestamp, max_enqueued_at) >= @from")}
              {(to is null ? "" : "AND COALESCE(min_transaction_timestamp, min_enqueued_at) < @to")}
            ORDER BY file_id DESC
            LIMIT @limit
            """,
            connection);
        command.Parameters.Add(new("limit", limit + 1L));
        if (before is not null)
            command.Parameters.Add(new("before", before));
        if (from is not null)
            command.Parameters.Add(new("from", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(from.Value) });
        if (to is not null)
            command.Parameters.Add(new("to", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(to.Value) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<ArchiveFileItem>();
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(new(
                reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetInt64(3), reader.GetInt64(4), Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(5)),
                Time(6), Time(7), Time(8), Time(9), reader.GetDateTime(10), reader.GetInt32(11), reader.GetString(12),
                reader.IsDBNull(13) ? [] : JsonSerializer.Deserialize(reader.GetString(13), QueryJsonContext.Default.IReadOnlyListArchiveRangeItem)!));
        }

        return items;

        DateTime? Time(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetDateTime(ordinal);
    }
}
