using Npgsql;
using NpgsqlTypes;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>
/// Changes of dead letters. Each is one statement that locks its items in order of their ids, takes those that are still as the change needs them, and writes their history along: so each happens once, whoever tries it how often.
/// </summary>
internal static class FailedItemStore
{
    /// <summary>Ids of pending items beyond <paramref name="after"/> by id, with the sizes of their payloads.</summary>
    public static async Task<List<(long Id, int Bytes)>> ChooseAsync(NpgsqlConnection connection, FailedItemFilter filter, long after, int limit, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand { Connection = connection, Parameters = { new("after", after), new("limit", (long)limit) } };
        command.CommandText = $"SELECT id, octet_length(raw_payload) FROM failed_items WHERE id > @after AND {filter.AddTo(command.Parameters)} ORDER BY id LIMIT @limit";
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<(long, int)>();
        while (await reader.ReadAsync(cancellationToken))
            items.Add((reader.GetInt64(0), reader.GetInt32(1)));
        return items;
    }

    public static async Task<long> CountAsync(NpgsqlConnection connection, FailedItemFilter filter, long after, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand { Connection = connection, Parameters = { new("after", after) } };
        command.CommandText = $"SELECT count(*) FROM failed_items WHERE id > @after AND {filter.AddTo(command.Parameters)}";
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>What a resubmission starts from.</summary>
    public static async Task<List<DeadLetter>> ReadAsync(NpgsqlConnection connection, IReadOnlyCollection<long> ids, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT id, correlation_id, raw_payload FROM failed_items WHERE id = ANY ($1) ORDER BY id", connection) { Parameters = { Ids(ids) } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<DeadLetter>();
        while (await reader.ReadAsync(cancellationToken))
            items.Add(new(reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetString(1), reader.GetFieldValue<byte[]>(2)));
        return items;
    }

    public static async Task<Dictionary<long, FailedItemStanding>> StandingAsync(NpgsqlConnection connection, IReadOnlyCollection<long> ids, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT f.id, f.status, f.sending, coalesce(s.payload_sha256, f.sent_sha256)
            FROM failed_items f LEFT JOIN failed_item_sends s ON s.item_id = f.id
            WHERE f.id = ANY ($1)
            """, connection) { Parameters = { Ids(ids) } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var standing = new Dictionary<long, FailedItemStanding>();
        while (await reader.ReadAsync(cancellationToken))
            standing.Add(reader.GetInt64(0), new(reader.GetString(1), reader.GetBoolean(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<byte[]>(3)));
        return standing;
    }

    /// <summary>Resolves or discards the items that are pending and not being sent.</summary>
    /// <returns>Those that it changed.</returns>
    public static Task<HashSet<long>> CloseAsync(NpgsqlConnection connection, IReadOnlyCollection<long> ids, string status, string by, string? notes, CancellationToken cancellationToken) => ChangeAsync(
        connection,
        """
        WITH free AS MATERIALIZED (
          SELECT id FROM failed_items WHERE id = ANY ($1) AND status = 'pending' AND NOT sending ORDER BY id FOR UPDATE),
        closed AS (
          UPDATE failed_items f SET status = $2, resolved_at = now(), resolved_by = $3, notes = $4 FROM free WHERE f.id = free.id)
        INSERT INTO failed_item_events (item_id, action, done_by, notes) SELECT id, $2, $3, $4 FROM free ORDER BY id RETURNING item_id
        """,
        cancellationToken, Ids(ids), Text(status), Text(by), Text(notes));

    /// <summary>Marks the items that are pending and not being sent as being sent, as given.</summary>
    /// <returns>Those that it marked.</returns>
    public static Task<HashSet<long>> BeginAsync(NpgsqlConnection connection, IReadOnlyCollection<Resubmission> items, string by, string? notes, CancellationToken cancellationToken) => ChangeAsync(
        connection,
        $"""
        WITH free AS MATERIALIZED (
          SELECT id, retry_count + 1 AS attempt FROM failed_items WHERE id = ANY ($1) AND status = 'pending' AND NOT sending ORDER BY id FOR UPDATE),
        sent AS (
          INSERT INTO failed_item_sends (item_id, claim_key, payload, payload_sha256, partition_key, correlation_id, is_masked, requested_by, notes)
          SELECT w.id, '{Resubmission.ClaimKeyPrefix}' || w.id || '/' || free.attempt, w.payload, w.sha256, w.partition_key, w.correlation_id, w.is_masked, $7, $8
          FROM unnest($1, $2, $3, $4, $5, $6) AS w(id, payload, sha256, partition_key, correlation_id, is_masked) JOIN free ON free.id = w.id
          RETURNING item_id, payload_sha256),
        marked AS (
          UPDATE failed_items f SET sending = true, retry_count = free.attempt, last_retry_at = now() FROM free WHERE f.id = free.id)
        INSERT INTO failed_item_events (item_id, action, done_by, notes, payload_sha256)
        SELECT item_id, 'resubmission_begun', $7, $8, payload_sha256 FROM sent ORDER BY item_id RETURNING item_id
        """,
        cancellationToken,
        Ids([.. items.Select(i => i.ItemId)]), Bytes(items.Select(i => i.Payload)), Bytes(items.Select(i => i.PayloadSha256)), Bytes(items.Select(i => i.PartitionKey)), Bytes(items.Select(i => i.CorrelationId)),
        new() { Value = items.Select(i => i.IsMasked).ToArray() }, Text(by), Text(notes));

    /// <summary>The marked events are in the stream.</summary>
    /// <returns>Items whose marks it ended; the others are ended already.</returns>
    public static Task<HashSet<long>> EndAsync(NpgsqlConnection connection, IReadOnlyCollection<SendMark> marks, CancellationToken cancellationToken) => EndAsync(
        connection, marks, "resubmitted",
        "status = 'resubmitted', resolved_at = now(), resolved_by = ended.requested_by, notes = ended.notes, sent_sha256 = ended.payload_sha256,", cancellationToken);

    /// <summary>The marked events are not in the stream, and never will be: their items are pending as before.</summary>
    /// <inheritdoc cref="EndAsync(NpgsqlConnection, IReadOnlyCollection{SendMark}, CancellationToken)"/>
    public static Task<HashSet<long>> WithdrawAsync(NpgsqlConnection connection, IReadOnlyCollection<SendMark> marks, CancellationToken cancellationToken) =>
        EndAsync(connection, marks, "resubmission_withdrawn", "", cancellationToken);

    /// <summary>By item.</summary>
    public static Task<List<SendMark>> ReadMarksAsync(NpgsqlConnection connection, IReadOnlyCollection<long> ids, CancellationToken cancellationToken) =>
        MarksAsync(connection, "item_id = ANY ($1) ORDER BY item_id", cancellationToken, Ids(ids));

    /// <summary>Marks that somebody made and did not end, by item.</summary>
    public static Task<List<SendMark>> ReadOldMarksAsync(NpgsqlConnection connection, TimeSpan age, long after, int limit, CancellationToken cancellationToken) => MarksAsync(
        connection, "requested_at <= now() - $1 AND item_id > $2 ORDER BY item_id LIMIT $3", cancellationToken, new() { Value = age }, new() { Value = after }, new() { Value = (long)limit });

    private static Task<HashSet<long>> EndAsync(NpgsqlConnection connection, IReadOnlyCollection<SendMark> marks, string action, string set, CancellationToken cancellationToken) => ChangeAsync(
        connection,
        $"""
        WITH locked AS MATERIALIZED (
          SELECT id FROM failed_items WHERE id = ANY ($1) AND sending ORDER BY id FOR UPDATE),
        ended AS (
          DELETE FROM failed_item_sends s USING locked WHERE s.item_id = locked.id AND s.claim_key = ANY ($2)
          RETURNING s.item_id, s.requested_by, s.notes, s.payload_sha256),
        changed AS (
          UPDATE failed_items f SET {set} sending = false FROM ended WHERE f.id = ended.item_id)
        INSERT INTO failed_item_events (item_id, action, done_by, notes, payload_sha256)
        SELECT item_id, $3, requested_by, notes, payload_sha256 FROM ended ORDER BY item_id RETURNING item_id
        """,
        cancellationToken, Ids([.. marks.Select(m => m.Event.ItemId)]), new() { Value = marks.Select(m => m.ClaimKey).ToArray() }, Text(action));

    private static async Task<List<SendMark>> MarksAsync(NpgsqlConnection connection, string condition, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(
            $"SELECT item_id, claim_key, payload, payload_sha256, partition_key, correlation_id, is_masked FROM failed_item_sends WHERE {condition}", connection);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var marks = new List<SendMark>();
        while (await reader.ReadAsync(cancellationToken))
            marks.Add(new(new(reader.GetInt64(0), Column(2), Column(3), Column(4), Column(5), reader.GetBoolean(6)), reader.GetString(1)));
        return marks;

        byte[] Column(int ordinal) => reader.GetFieldValue<byte[]>(ordinal);
    }

    private static async Task<HashSet<long>> ChangeAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ids = new HashSet<long>();
        while (await reader.ReadAsync(cancellationToken))
            ids.Add(reader.GetInt64(0));
        return ids;
    }

    private static NpgsqlParameter Ids(IReadOnlyCollection<long> ids) => new() { Value = ids.ToArray() };

    private static NpgsqlParameter Text(string? text) => new() { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)text ?? DBNull.Value };

    private static NpgsqlParameter Bytes(IEnumerable<byte[]> values) => new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea, Value = values.ToArray() };
}
