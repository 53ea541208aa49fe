using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.ServiceDefaults.Access;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Query.Lifecycle;

/// <summary>
/// <c>POST /v1/archive/rehydrations</c> asks files back from the archive tier, <c>GET</c> says how far they are, the latest first, for 30 days. Here it is only noted: the archiver, which may write to the store, begins it.
/// </summary>
public static class RehydrationsApi
{
    private const int MaxFiles = 1000;
    private const int MaxBytes = 256 << 10;
    private const int Parallel = 8;
    private const int DefaultLimit = 100;
    private const string Kept = "interval '30 days'";
    private const string Example = """{"from": "2025-01-01T00:00:00Z", "to": "2025-01-02T00:00:00Z"}""";

    public static void MapRehydrationsApi(this IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/archive/rehydrations", PostAsync).RequireRole(AccessRole.Operate);
        app.MapGet("/v1/archive/rehydrations", ListAsync).RequireRole(AccessRole.Read);
    }

    private static async Task<IResult> PostAsync(HttpContext context, DatabaseTurns database, HybridConnectionManager connections)
    {
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;
        var (document, fault) = await RequestBody.ReadObjectAsync(context.Request, MaxBytes, "a JSON object with 'from' and 'to', or with 'blob_names'", Example, mayBeEmpty: false, context.RequestAborted);
        if (document is null)
            return fault!;
        using var _ = document;
        var members = new JsonMembers(document.RootElement);
        var (names, from, to) = (members.Texts("blob_names", MaxFiles), members.Time("from"), members.Time("to"));
        if (names is not null && (from ?? to) is not null)
            members.Fail("blob_names", "Give them without 'from' and 'to'.");
        foreach (var missing in new[] { ("from", from), ("to", to) }.Where(m => names is null && m.Item2 is null))
            members.Fail(missing.Item1, "It is missing. Give a time as RFC 3339 writes it, for example 2026-01-31T08:00:00Z, or give 'blob_names'.");
        if (from >= to)
            members.Fail("from", "It must lie before 'to'.");
        if (members.Problem() is { } wrong)
            return wrong;
        var (condition, values) = names is not null
            ? ("blob_name = ANY ($1)", (NpgsqlParameter[])[new() { Value = names }])
            : ("(GREATEST(max_transaction_timestamp, max_enqueued_at) >= $1 AND LEAST(min_transaction_timestamp, min_enqueued_at) < $2)", [Moment(from!.Value), Moment(to!.Value)]);

        var files = await database.ExecuteAsync((connection, token) => ReadAsync(connection, $"SELECT file_id, blob_name, byte_size, now() FROM raw_event_files WHERE state = 'live' AND {condition} ORDER BY file_id LIMIT {MaxFiles + 1}", token, values), context.RequestAborted);
        if (files.Count > MaxFiles)
            return RequestBody.Wrong("from", $"More than {MaxFiles} files have events of the range. Ask for a shorter one.");
        if (names?.FirstOrDefault(n => !files.Exists(f => f.Name == n)) is { } unknown)
            return RequestBody.Wrong("blob_names", $"There is no live file {unknown}.");

        var items = await AskStoreAsync(files, connections, context.RequestAborted);
        await database.ExecuteAsync(
            async (connection, token) =>
            {
                // In one order: two calls over the same files never wait for each other.
                const string sql = """
                    WITH asked AS MATERIALIZED (
                      SELECT f.file_id, t.tier FROM raw_event_files f JOIN unnest($1::text[], $2::text[]) AS t(blob_name, tier) USING (blob_name)
                      WHERE f.state = 'live' ORDER BY f.file_id FOR NO KEY UPDATE OF f)
                    UPDATE raw_event_files f SET rehydrated_at = clock_timestamp(), tier = coalesce(asked.tier, f.tier) FROM asked WHERE f.file_id = asked.file_id
                    """;
                await using var command = new NpgsqlCommand(sql, connection);
                command.Parameters.Add(new() { Value = items.Select(i => i.BlobName).ToArray() });
                command.Parameters.Add(new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text, Value = items.Select(i => i.Tier).ToArray() });
                return await command.ExecuteNonQueryAsync(token);
            },
            context.RequestAborted);
        context.Response.Headers.Location = "/v1/archive/rehydrations";
        return TypedResults.Json(new Page<RehydrationItem>(items, null), QueryJsonContext.Default.PageRehydrationItem, statusCode: StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> ListAsync(HttpContext context, DatabaseTurns database, HybridConnectionManager connections)
    {
        var parameters = new QueryParameters(context.Request.Query, context.Request.Path);
        var limit = (int)parameters.Integer("limit", DefaultLimit, 1, MaxFiles);
        var after = parameters.Cursor(RehydrationsCursor.TryParse);
        if (parameters.Problem() is { } problem)
            return problem;
        var sql = $"""
            SELECT file_id, blob_name, byte_size, rehydrated_at FROM raw_event_files
            WHERE state = 'live' AND rehydrated_at > clock_timestamp() - {Kept} {(after is null ? "" : "AND (rehydrated_at, file_id) < ($2, $3)")}
            ORDER BY rehydrated_at DESC, file_id DESC LIMIT $1
            """;
        var page = Page<FileToRehydrate>.Cut(
            await database.ExecuteAsync(
                (connection, token) => ReadAsync(
                    connection, sql, token,
                    after is null ? [new() { Value = limit + 1L }] : [new() { Value = limit + 1L }, Moment(after.RequestedAt), new() { Value = after.FileId }]),
                context.RequestAborted),
            limit, f => parameters.NextCursor(new RehydrationsCursor(Timestamps.ToMicros(f.RequestedAt), f.FileId)));
        return TypedResults.Json(new Page<RehydrationItem>(await AskStoreAsync(page.Items, connections, context.RequestAborted), page.NextCursor), QueryJsonContext.Default.PageRehydrationItem);
    }

    private static async Task<RehydrationItem[]> AskStoreAsync(IReadOnlyList<FileToRehydrate> files, HybridConnectionManager connections, CancellationToken cancellationToken)
    {
        var blobs = new ArchiveBlobs(connections.RawEvents);
        var items = new RehydrationItem[files.Count];
        await System.Threading.Tasks.Parallel.ForAsync(0, files.Count, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken }, async (i, token) =>
        {
            var (_, name, bytes, requestedAt) = files[i];
            items[i] = await blobs.FindTierAsync(name, token) switch
            {
                null => new(name, bytes, requestedAt, null, "missing"),
                (var tier, true) => new(name, bytes, requestedAt, tier, "rehydrating"),
                ("archive", false) => new(name, bytes, requestedAt, "archive", "requested"),
                (var tier, false) => new(name, bytes, requestedAt, tier, "readable"),
            };
        });
        return items;
    }

    private static NpgsqlParameter Moment(long micros) => new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = Timestamps.ToDateTime(micros) };

    private static async Task<List<FileToRehydrate>> ReadAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<FileToRehydrate>();
        while (await reader.ReadAsync(cancellationToken))
            files.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2), reader.GetDateTime(3)));
        return files;
    }

    private readonly record struct FileToRehydrate(Guid FileId, string Name, long Bytes, DateTime RequestedAt);
}
