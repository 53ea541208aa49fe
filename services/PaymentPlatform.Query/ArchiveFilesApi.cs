using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.ServiceDefaults.Access;

namespace PaymentPlatform.Query;

/// <summary><c>GET /v1/archive/files</c>: the live files, the latest first; all pages are of the moment of the first one.</summary>
public static class ArchiveFilesApi
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    public static void MapArchiveFilesApi(this IEndpointRouteBuilder app) => app.MapGet("/v1/archive/files", ListAsync).RequireRole(AccessRole.Read);

    private static async Task<Results<JsonHttpResult<Page<ArchiveFileItem>>, ValidationProblem>> ListAsync(HttpContext context, DatabaseTurns database)
    {
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var (from, to) = parameters.Range();
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxLimit);
        var after = parameters.Cursor(ArchiveFilesCursor.TryParse);
        if (parameters.Problem() is { } problem)
            return problem;

        var (items, generation) = await database.ExecuteAsync((connection, token) => ReadAsync(connection, from, to, after, limit, token), context.RequestAborted);
        return TypedResults.Json(Page<ArchiveFileItem>.Cut(items, limit, item => parameters.NextCursor(new ArchiveFilesCursor(generation, item.FileId))), QueryJsonContext.Default.PageArchiveFileItem);
    }

    /// <exception cref="ManifestViewGoneException">Files that the cursor was made over have gone since.</exception>
    private static async Task<(List<ArchiveFileItem> Items, long Generation)> ReadAsync(
        NpgsqlConnection connection, long? from, long? to, ArchiveFilesCursor? after, int limit, CancellationToken cancellationToken)
    {
        // File ids are UUIDs of version 7: their order is that of time, and the primary key serves it. A file without any transaction time is found by its arrival.
        // A file that was written again since has an id beyond the cursor, though it stands in the lost one's place: no later page would show it.
        await using var command = new NpgsqlCommand(
            $"""
            SELECT g.generation,
              {(after is null ? "false" : "EXISTS (SELECT FROM raw_event_files n WHERE n.state = 'live' AND n.changed_generation > @generation AND n.live_generation <= @generation)")},
              f.state, f.file_id, f.blob_name, f.row_count, f.valid_count, f.byte_size, f.sha256, f.min_transaction_timestamp, f.max_transaction_timestamp, f.min_enqueued_at, f.max_enqueued_at, f.archived_at, f.schema_version, f.tier,
              (SELECT json_agg(json_build_object('stream', stream, 'log_id', log_id, 'partition_id', partition_id, 'first_offset', first_offset, 'next_offset', next_offset) ORDER BY stream, log_id, partition_id, first_offset)
               FROM raw_event_ranges r WHERE r.file_id = f.file_id)::text
            FROM raw_event_generation g
            LEFT JOIN (
              SELECT * FROM raw_event_files f
              WHERE {ManifestReader.Readable(after?.Generation)}
                {(after is null ? "" : "AND file_id < @before")}
                {(from is null ? "" : "AND COALESCE(max_transaction_timestamp, max_enqueued_at) >= @from")}
                {(to is null ? "" : "AND COALESCE(min_transaction_timestamp, min_enqueued_at) < @to")}
              ORDER BY file_id DESC
              LIMIT @limit
            ) f ON true
            ORDER BY f.file_id DESC
            """,
            connection);
        command.Parameters.Add(new("limit", limit + 1L));
        if (after is not null)
        {
            command.Parameters.Add(new("generation", after.Generation));
            command.Parameters.Add(new("before", after.FileId));
        }

        if (from is not null)
            command.Parameters.Add(new("from", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(from.Value) });
        if (to is not null)
            command.Parameters.Add(new("to", NpgsqlDbType.TimestampTz) { Value = Timestamps.ToDateTime(to.Value) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<ArchiveFileItem>();
        var generation = after?.Generation;
        while (await reader.ReadAsync(cancellationToken))
        {
            generation ??= reader.GetInt64(0);
            if (reader.GetBoolean(1))
                throw new ManifestViewGoneException();
            if (reader.IsDBNull(2))
                break;
            ManifestReader.ThrowIfGone(reader.GetString(2));
            items.Add(new(
                reader.GetGuid(3), reader.GetString(4), reader.GetInt64(5), reader.IsDBNull(6) ? null : reader.GetInt64(6), reader.GetInt64(7), Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(8)),
                Time(9), Time(10), Time(11), Time(12), reader.GetDateTime(13), reader.GetInt32(14), reader.GetString(15),
                reader.IsDBNull(16) ? [] : JsonSerializer.Deserialize(reader.GetString(16), QueryJsonContext.Default.IReadOnlyListArchiveRangeItem)!));
        }

        return (items, generation!.Value);

        DateTime? Time(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetDateTime(ordinal);
    }
}
