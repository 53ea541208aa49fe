using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.ServiceDefaults.Access;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Query.Lifecycle;

/// <summary>
/// <c>POST /v1/archive/rehydrations</c> asks files back from the archive tier, <c>GET</c> says how far they are. Here it is only noted: the archiver, which may write to the store, begins it.
/// </summary>
public static class RehydrationsApi
{
    private const int MaxFiles = 1000;
    private const int MaxBytes = 256 << 10;
    private const int Parallel = 8;
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

        var files = await database.ExecuteAsync((connection, token) => ReadAsync(connection, $"SELECT blob_name, byte_size, now() FROM raw_event_files WHERE state = 'live' AND {condition} ORDER BY file_id LIMIT {MaxFiles + 1}", token, values), context.RequestAborted);
        if (files.Count > MaxFiles)
            return RequestBody.Wrong("from", $"More than {MaxFiles} files have events of the range. Ask for a shorter one.");
        if (names?.FirstOrDefault(n => !files.Exists(f => f.Name == n)) is { } unknown)
            return RequestBody.Wrong("blob_names", $"There is no live file {unknown}.");

        var items = await AskStoreAsync(files, connections, context.RequestAborted);
        await database.ExecuteAsync(
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand(
                    "UPDATE raw_event_files f SET rehydrated_at = clock_timestamp(), tier = coalesce(t.tier, f.tier) FROM unnest($1::text[], $2::text[]) AS t(blob_name, tier) WHERE f.blob_name = t.blob_name AND f.state = 'live'", connection);
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
        var parameters = new QueryParameters(context.Request.Query);
        if (parameters.Problem() is { } problem)
            return problem;
        var files = await database.ExecuteAsync(
            (connection, token) => ReadAsync(connection, $"SELECT blob_name, byte_size, rehydrated_at FROM raw_event_files WHERE state = 'live' AND rehydrated_at IS NOT NULL ORDER BY rehydrated_at DESC, file_id LIMIT {MaxFiles}", token),
            context.RequestAborted);
        return TypedResults.Json(new Page<RehydrationItem>(await AskStoreAsync(files, connections, context.RequestAborted), null), QueryJsonContext.Default.PageRehydrationItem);
    }

    private static async Task<RehydrationItem[]> AskStoreAsync(List<(string Name, long Bytes, DateTime RequestedAt)> files, HybridConnectionManager connections, CancellationToken cancellationToken)
    {
        var blobs = new ArchiveBlobs(connections.RawEvents);
        var items = new RehydrationItem[files.Count];
        await System.Threading.Tasks.Parallel.ForAsync(0, files.Count, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken }, async (i, token) =>
        {
            var (name, bytes, requestedAt) = files[i];
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

    private static async Task<List<(string Name, long Bytes, DateTime RequestedAt)>> ReadAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<(string, long, DateTime)>();
        while (await reader.ReadAsync(cancellationToken))
            files.Add((reader.GetString(0), reader.GetInt64(1), reader.GetDateTime(2)));
        return files;
    }
}
