using Npgsql;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.BlobArchiver.Compaction;

/// <summary>What compaction asks of the manifest, and how a merged file takes its originals' place there.</summary>
internal static class CompactionManifest
{
    /// <summary>What makes a file one to be merged: parameters are half the target's bytes and rows, and the schema version.</summary>
    private const string IsSmall = "(f.tier = 'hot' AND f.byte_size < $1 AND f.row_count < $2 AND f.schema_version = $3)";

    /// <summary>The folders of closed hours with at least two small files and none that is still being written, oldest first.</summary>
    /// <returns>With the last change of any live file in it.</returns>
    public static async Task<List<(string Folder, long Generation)>> ListHoursAsync(NpgsqlConnection connection, ArchiverOptions options, CancellationToken cancellationToken)
    {
        const string sql = $"""
            SELECT folder, max(changed_generation) FROM (
              SELECT regexp_replace(blob_name, '[^/]*$', '') COLLATE "C" AS folder, state, changed_generation, state = 'live' AND {IsSmall} AS small FROM raw_event_files f WHERE state IN ('live', 'pending')
            ) files
            WHERE folder < to_char((clock_timestamp() - $4) AT TIME ZONE 'UTC', '"{ArchiveFileName.Root}yyyy="YYYY"/mm="MM"/dd="DD"/hh="HH24"/"')
            GROUP BY folder
            HAVING bool_and(state = 'live') AND count(*) FILTER (WHERE small) > 1
            ORDER BY folder
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        AddSmall(command, options);
        command.Parameters.Add(new() { Value = options.CompactionDelay });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var folders = new List<(string, long)>();
        while (await reader.ReadAsync(cancellationToken))
            folders.Add((reader.GetString(0), reader.GetInt64(1)));
        return folders;
    }

    /// <summary>The live files of a folder, and those that lie between them in their partitions.</summary>
    public static async Task<List<MergeFile>> ListFilesAsync(NpgsqlConnection connection, string folder, ArchiverOptions options, CancellationToken cancellationToken)
    {
        const string sql = $"""
            WITH wanted AS (
              SELECT file_id FROM raw_event_files WHERE state = 'live' AND starts_with(blob_name, $4)
            ), {ArchiveManifest.ChosenWithThoseBetween}
            SELECT f.file_id, f.blob_name, f.row_count, f.byte_size, f.sha256, starts_with(f.blob_name, $4) AND {IsSmall}, r.stream, r.log_id, r.partition_id, r.first_offset, r.next_offset
            FROM chosen JOIN raw_event_files f USING (file_id) JOIN raw_event_ranges r ON r.file_id = f.file_id AND r.live
            ORDER BY f.file_id
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        AddSmall(command, options);
        command.Parameters.Add(new() { Value = folder });
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>Merged files that are live and whose originals are all still kept: those originals, by the merged file.</summary>
    public static async Task<Dictionary<Guid, List<MergeFile>>> ListOriginalsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT f.file_id, f.blob_name, f.row_count, f.byte_size, f.sha256, true, r.stream, r.log_id, r.partition_id, r.first_offset, r.next_offset, f.superseded_by
            FROM raw_event_files f JOIN raw_event_ranges r USING (file_id)
            WHERE f.state = 'superseded' AND f.superseded_by IN (
              SELECT s.file_id FROM raw_event_files s JOIN raw_event_files o ON o.superseded_by = s.file_id WHERE s.state = 'live' GROUP BY s.file_id HAVING bool_and(o.state = 'superseded'))
            ORDER BY f.file_id
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        var merged = new Dictionary<Guid, Guid>();
        var files = await ReadAsync(command, cancellationToken, (reader, file) => merged[file] = reader.GetGuid(11));
        return files.GroupBy(f => merged[f.FileId]).ToDictionary(g => g.Key, g => g.ToList());
    }

    /// <summary>Those of the files that are live.</summary>
    public static async Task<List<MergeFile>> ListLiveAsync(NpgsqlConnection connection, IReadOnlyCollection<Guid> fileIds, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT f.file_id, f.blob_name, f.row_count, f.byte_size, f.sha256, false, r.stream, r.log_id, r.partition_id, r.first_offset, r.next_offset
            FROM raw_event_files f JOIN raw_event_ranges r USING (file_id) WHERE f.state = 'live' AND r.live AND f.file_id = ANY ($1)
            ORDER BY f.file_id
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = fileIds.ToArray() } } };
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>Takes live files out of the readers' sight, and their ranges with them: the pending file holds their events.</summary>
    /// <returns>False when one of them is not live any more: roll back.</returns>
    public static async Task<bool> SupersedeAsync(NpgsqlTransaction transaction, IReadOnlyCollection<Guid> fileIds, Guid mergedId, CancellationToken cancellationToken)
    {
        // The rows in one order for all, and their ranges first: no two live files may hold an offset, not even within the transaction.
        const string sql = """
            WITH locked AS MATERIALIZED (
              SELECT file_id FROM raw_event_files WHERE file_id = ANY ($1) AND state = 'live' ORDER BY file_id FOR UPDATE
            ), ranges AS (
              UPDATE raw_event_ranges SET live = false WHERE live AND file_id IN (SELECT file_id FROM locked)
            )
            UPDATE raw_event_files f SET state = 'superseded', superseded_by = $2, state_changed_at = clock_timestamp() FROM locked WHERE f.file_id = locked.file_id
            """;
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction) { Parameters = { new() { Value = fileIds.ToArray() }, new() { Value = mergedId } } };
        return await command.ExecuteNonQueryAsync(cancellationToken) == fileIds.Count;
    }

    /// <summary><see cref="ArchiveManifest.MakeLostAsync"/>; the originals of a merged file are in the replacement from then on.</summary>
    /// <returns>False when the row is not live any more: roll back.</returns>
    public static async Task<bool> MakeLostAsync(NpgsqlTransaction transaction, Guid fileId, Guid replacementId, CancellationToken cancellationToken)
    {
        if (!await ArchiveManifest.MakeLostAsync(transaction, fileId, replacementId, cancellationToken))
            return false;
        const string sql = "UPDATE raw_event_files SET superseded_by = $2 WHERE superseded_by = $1";
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction) { Parameters = { new() { Value = fileId }, new() { Value = replacementId } } };
        await command.ExecuteNonQueryAsync(cancellationToken);
        return true;
    }

    /// <summary>Files that have been superseded for longer than <paramref name="retention"/> by the database's clock, oldest first, after <paramref name="after"/>.</summary>
    /// <returns>With the file that holds their events now, if it is live itself.</returns>
    public static async Task<List<(Guid FileId, string BlobName, string? MergedName, long MergedBytes)>> ListOutlivedAsync(
        NpgsqlConnection connection, TimeSpan retention, Guid after, int limit, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT f.file_id, f.blob_name, s.blob_name, s.byte_size FROM raw_event_files f LEFT JOIN raw_event_files s ON s.file_id = f.superseded_by AND s.state = 'live'
            WHERE f.state = 'superseded' AND f.file_id > $1 AND f.state_changed_at < clock_timestamp() - $3 ORDER BY f.file_id LIMIT $2
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = after }, new() { Value = limit }, new() { Value = retention } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<(Guid, string, string?, long)>();
        while (await reader.ReadAsync(cancellationToken))
            files.Add((reader.GetGuid(0), reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2), reader.IsDBNull(3) ? 0 : reader.GetInt64(3)));
        return files;
    }

    /// <summary>Files whose blobs are to be deleted, oldest first, after <paramref name="after"/>.</summary>
    public static async Task<List<(Guid FileId, string BlobName)>> ListDeletingAsync(NpgsqlConnection connection, Guid after, int limit, CancellationToken cancellationToken)
    {
        const string sql = "SELECT file_id, blob_name FROM raw_event_files WHERE state = 'deleting' AND file_id > $1 ORDER BY file_id LIMIT $2";
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = after }, new() { Value = limit } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<(Guid, string)>();
        while (await reader.ReadAsync(cancellationToken))
            files.Add((reader.GetGuid(0), reader.GetString(1)));
        return files;
    }

    private static void AddSmall(NpgsqlCommand command, ArchiverOptions options)
    {
        command.Parameters.Add(new() { Value = options.CompactionBytes / 2 });
        command.Parameters.Add(new() { Value = (long)options.CompactionRows / 2 });
        command.Parameters.Add(new() { Value = ParquetSerializer.SchemaVersion });
    }

    private static async Task<List<MergeFile>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken, Action<NpgsqlDataReader, Guid>? also = null)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var files = new List<MergeFile>();
        var ranges = new List<OffsetRange>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = reader.GetGuid(0);
            if (files.Count == 0 || files[^1].FileId != id)
            {
                files.Add(new(id, reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetFieldValue<byte[]>(4), reader.GetBoolean(5), ranges = []));
                also?.Invoke(reader, id);
            }

            ranges.Add(new(new(reader.GetString(6), reader.GetString(7), reader.GetInt32(8)), reader.GetInt64(9), reader.GetInt64(10)));
        }

        return files;
    }
}
