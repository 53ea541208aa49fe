using Npgsql;
using NpgsqlTypes;

namespace PaymentPlatform.BlobArchiver.Lifecycle;

/// <summary>What the manifest and the legal holds say about files that are to move to another tier or to go. Ages are by the database's clock.</summary>
internal static class LifecycleManifest
{
    /// <summary>Whether an active hold of a range has some of the file's events; transaction times and arrivals both count.</summary>
    private const string IsHeld = """
        EXISTS (SELECT FROM legal_holds h WHERE h.released_at IS NULL AND h.range_from <= GREATEST(f.max_transaction_timestamp, f.max_enqueued_at)
                AND h.range_to > LEAST(f.min_transaction_timestamp, f.min_enqueued_at))
        """;

    /// <summary>
    /// Live files, none of whose events arrived within <paramref name="retention"/>, which no hold of a range has and about which no verdict is in force; oldest first, after <paramref name="after"/>.
    /// Transaction times don't matter: a valid event's is a few minutes after its arrival at most, and an invalid one's may be any.
    /// </summary>
    /// <param name="patience">How long a file that could not be looked through is left alone, unless it was asked back from the archive tier since.</param>
    public static async Task<List<ExpiredFile>> ListExpiredAsync(NpgsqlConnection connection, TimeSpan retention, TimeSpan patience, Guid after, int limit, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT file_id, blob_name, row_count, byte_size, sha256 FROM raw_event_files f
            WHERE state = 'live' AND max_enqueued_at < clock_timestamp() - $1 AND file_id > $3 AND NOT {IsHeld}
              AND NOT EXISTS (
                SELECT FROM retention_verdicts v
                WHERE v.file_id = f.file_id AND (v.fault IS NULL OR (v.looked_at > clock_timestamp() - $2 AND coalesce(f.rehydrated_at < v.looked_at, true))))
            ORDER BY file_id LIMIT $4
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = retention }, new() { Value = patience }, new() { Value = after }, new() { Value = limit } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<ExpiredFile>();
        while (await reader.ReadAsync(cancellationToken))
            files.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetFieldValue<byte[]>(4)));
        return files;
    }

    /// <summary>Keeps what was found when a file was looked through for held payments, so that it is not fetched for it again.</summary>
    /// <param name="holds">Those that keep the file.</param>
    /// <param name="fault">Why that is not known; null when it is.</param>
    public static async Task KeepVerdictAsync(NpgsqlConnection connection, Guid fileId, IReadOnlyCollection<long> holds, string? fault, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO retention_verdicts (file_id, held_by, fault) VALUES ($1, $2, $3)
            ON CONFLICT (file_id) DO UPDATE SET held_by = excluded.held_by, fault = excluded.fault, looked_at = excluded.looked_at
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = fileId }, new() { Value = holds.ToArray() }, new() { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)fault ?? DBNull.Value } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Drops the verdicts of files that are not live any more, and those whose holds are all released; while no payment is held, all of them.</summary>
    public static async Task DropVerdictsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string sql = """
            DELETE FROM retention_verdicts v
            WHERE NOT EXISTS (
              SELECT FROM raw_event_files f, legal_holds h
              WHERE f.file_id = v.file_id AND f.state = 'live' AND h.released_at IS NULL AND h.transaction_id IS NOT NULL AND (v.fault IS NOT NULL OR h.hold_id = ANY (v.held_by)))
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>How many files stay because they could not be looked through, and one of them with the reason.</summary>
    public static async Task<(long Files, string BlobName, string Fault)?> FindUnknownAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT count(*) OVER (), f.blob_name, v.fault FROM retention_verdicts v JOIN raw_event_files f USING (file_id)
            WHERE v.fault IS NOT NULL AND f.state = 'live' ORDER BY v.file_id LIMIT 1
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? (reader.GetInt64(0), reader.GetString(1), reader.GetString(2)) : null;
    }

    /// <summary>Active holds of payments.</summary>
    public static async Task<Dictionary<long, string>> ListHeldPaymentsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT hold_id, transaction_id FROM legal_holds WHERE released_at IS NULL AND transaction_id IS NOT NULL", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var holds = new Dictionary<long, string>();
        while (await reader.ReadAsync(cancellationToken))
            holds.Add(reader.GetInt64(0), reader.GetString(1));
        return holds;
    }

    /// <summary>Takes a file out of the readers' sight for good; the sweeper deletes its blob.</summary>
    /// <param name="holds">The holds of payments that the file was looked through for.</param>
    /// <returns>False when it is not live any more, or held by now: nothing has changed.</returns>
    public static async Task<bool> GiveUpAsync(NpgsqlTransaction transaction, Guid fileId, IReadOnlyCollection<long> holds, CancellationToken cancellationToken)
    {
        // Nobody places a hold between the look and the commit.
        await using (var lockHolds = new NpgsqlCommand("LOCK TABLE legal_holds IN SHARE MODE", transaction.Connection, transaction))
            await lockHolds.ExecuteNonQueryAsync(cancellationToken);
        const string sql = $"""
            WITH gone AS (
              UPDATE raw_event_files f SET state = 'deleting', state_changed_at = clock_timestamp()
              WHERE file_id = $1 AND state = 'live' AND NOT {IsHeld}
                AND NOT EXISTS (SELECT FROM legal_holds WHERE released_at IS NULL AND transaction_id IS NOT NULL AND hold_id <> ALL ($2))
              RETURNING file_id
            ), ranges AS (
              UPDATE raw_event_ranges SET live = false WHERE file_id IN (SELECT file_id FROM gone)
            ), verdicts AS (
              DELETE FROM retention_verdicts WHERE file_id IN (SELECT file_id FROM gone)
            )
            SELECT count(*) FROM gone
            """;
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction) { Parameters = { new() { Value = fileId }, new() { Value = holds.ToArray() } } };
        return (long)(await command.ExecuteScalarAsync(cancellationToken))! == 1;
    }

    /// <summary>Live files whose tier, as far as the manifest knows, is warmer than their age asks for; oldest first, after <paramref name="after"/>.</summary>
    /// <returns>With the tier that is asked for.</returns>
    public static async Task<List<(Guid FileId, string BlobName, string Tier)>> ListTooWarmAsync(NpgsqlConnection connection, ArchiverOptions options, Guid after, int limit, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT file_id, blob_name, CASE WHEN archived_at < clock_timestamp() - $2 THEN 'archive' ELSE 'cool' END FROM raw_event_files
            WHERE state = 'live' AND file_id > $4 AND (rehydrated_at IS NULL OR rehydrated_at < clock_timestamp() - $3)
              AND (tier = 'hot' AND archived_at < clock_timestamp() - $1 OR tier <> 'archive' AND archived_at < clock_timestamp() - $2)
            ORDER BY file_id LIMIT $5
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = options.CoolAfter }, new() { Value = options.ArchiveAfter }, new() { Value = options.RehydratedFor }, new() { Value = after }, new() { Value = limit } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<(Guid, string, string)>();
        while (await reader.ReadAsync(cancellationToken))
            files.Add((reader.GetGuid(0), reader.GetString(1), reader.GetString(2)));
        return files;
    }

    /// <summary>Live files that somebody asked for and that are in the archive tier as far as the manifest knows.</summary>
    public static async Task<List<(Guid FileId, string BlobName)>> ListAskedForAsync(NpgsqlConnection connection, TimeSpan window, CancellationToken cancellationToken)
    {
        const string sql = "SELECT file_id, blob_name FROM raw_event_files WHERE state = 'live' AND tier = 'archive' AND rehydrated_at > clock_timestamp() - $1 ORDER BY file_id";
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = window } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<(Guid, string)>();
        while (await reader.ReadAsync(cancellationToken))
            files.Add((reader.GetGuid(0), reader.GetString(1)));
        return files;
    }

    /// <summary>Notes the tier that the store says.</summary>
    public static async Task NoteTierAsync(NpgsqlConnection connection, Guid fileId, string tier, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("UPDATE raw_event_files SET tier = $2 WHERE file_id = $1", connection) { Parameters = { new() { Value = fileId }, new() { Value = tier } } };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Notes the tier of a file that has come back from the archive tier: what could not be looked through for held payments can be now.</summary>
    public static async Task NoteReadableAsync(NpgsqlConnection connection, Guid fileId, string tier, CancellationToken cancellationToken)
    {
        const string sql = """
            WITH noted AS (UPDATE raw_event_files SET tier = $2 WHERE file_id = $1)
            DELETE FROM retention_verdicts WHERE file_id = $1 AND fault IS NOT NULL
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = fileId }, new() { Value = tier } } };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
