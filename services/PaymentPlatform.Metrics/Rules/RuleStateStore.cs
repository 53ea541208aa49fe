using Npgsql;
using PaymentPlatform.MetricEngine.Rules;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>The tables <c>rule_state_snapshots</c> and <c>rule_state_log</c>: a partition's state is its snapshot and the changes since.</summary>
internal static class RuleStateStore
{
    // The snapshots first: what is deleted here holds what came before them only.
    private const string SnapshotSql = """
        INSERT INTO rule_state_snapshots AS s (stream, log_id, partition_id, next_offset, payload)
        SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bytea[])
        ON CONFLICT (stream, log_id, partition_id) DO UPDATE SET next_offset = excluded.next_offset, payload = excluded.payload, created_at = now()
        """;

    private const string TrimSql = """
        DELETE FROM rule_state_log l USING unnest($1::text[], $2::text[], $3::int[], $4::bigint[]) AS w(stream, log_id, partition_id, next_offset)
        WHERE l.stream = w.stream AND l.log_id = w.log_id AND l.partition_id = w.partition_id AND l.next_offset <= w.next_offset
        """;

    private const string ChangeSql = "INSERT INTO rule_state_log (stream, log_id, partition_id, next_offset, payload) SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bytea[])";

    /// <summary>
    /// Deletes state and activations of logs in whose place another one stands; answers how many rows of state. A process that has not noticed yet may write there once more: that is for the next time.
    /// A log that nobody knows at the moment may come again, and keeps them.
    /// </summary>
    public const string DeleteGoneSql = """
        WITH snapshots AS (DELETE FROM rule_state_snapshots r USING stream_logs l WHERE l.stream = r.stream AND l.log_id <> r.log_id RETURNING 1),
          changes AS (DELETE FROM rule_state_log r USING stream_logs l WHERE l.stream = r.stream AND l.log_id <> r.log_id RETURNING 1),
          activations AS (DELETE FROM rule_activations r USING stream_logs l WHERE l.stream = r.stream AND l.log_id <> r.log_id)
        SELECT (SELECT count(*) FROM snapshots) + (SELECT count(*) FROM changes)
        """;

    public static async Task WriteAsync(NpgsqlTransaction transaction, IReadOnlyCollection<RuleStateChange> changes, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        if (changes.Where(c => c.IsSnapshot).ToArray() is { Length: > 0 } snapshots)
        {
            Add(batch, SnapshotSql, snapshots, withPayload: true);
            Add(batch, TrimSql, snapshots, withPayload: false);
        }

        if (changes.Where(c => !c.IsSnapshot).ToArray() is { Length: > 0 } others)
            Add(batch, ChangeSql, others, withPayload: true);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>As it stood at the checkpoint.</summary>
    /// <returns>Null when the checkpoint stands elsewhere by now: another owner has moved on.</returns>
    /// <exception cref="InvalidDataException">What is kept is damaged.</exception>
    public static async Task<StoredRuleState?> LoadAsync(NpgsqlConnection connection, StreamPartition partition, long offset, RuleSet rules, CancellationToken cancellationToken)
    {
        // One statement, one moment: state and checkpoint are written together.
        const string sql = """
            SELECT 0, c.next_offset, NULL::bytea FROM stream_checkpoints c WHERE c.consumer_group = $4 AND c.stream = $1 AND c.log_id = $2 AND c.partition_id = $3
            UNION ALL
            SELECT 1, s.next_offset, s.payload FROM rule_state_snapshots s WHERE s.stream = $1 AND s.log_id = $2 AND s.partition_id = $3
            UNION ALL
            SELECT 2, l.next_offset, l.payload FROM rule_state_log l WHERE l.stream = $1 AND l.log_id = $2 AND l.partition_id = $3
            ORDER BY 1, 2
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = partition.Stream }, new() { Value = partition.LogId }, new() { Value = partition.PartitionId }, new() { Value = MetricsWriter.ConsumerGroup } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        byte[]? snapshot = null;
        var changes = new List<byte[]>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var (kind, at) = (reader.GetInt32(0), reader.GetInt64(1));
            if (kind == 0 && at != offset)
                return null;
            if (at > offset)
                throw new InvalidDataException($"The rules' state of partition {partition} is that of offset {at}, but the checkpoint stands at {offset}: it was set back by hand. Delete the partition's rows of rule_state_log and rule_state_snapshots too.");
            if (kind == 1)
                snapshot = reader.GetFieldValue<byte[]>(2);
            else if (kind == 2)
                changes.Add(reader.GetFieldValue<byte[]>(2));
        }

        try
        {
            var state = PartitionRuleState.Load(rules, snapshot is null ? default : RuleStateCodec.Unpack(snapshot), changes.Select(c => (ReadOnlyMemory<byte>)RuleStateCodec.Unpack(c)));
            return new(state, changes.Count, changes.Sum(c => (long)c.Length), snapshot?.Length ?? 0);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException(
                $"The rules' state of partition {partition} is damaged, or of a newer release: {exception.Message} Restore its rows of rule_state_log and rule_state_snapshots, or delete them: stateful rules then know nothing of before offset {offset}, and figures stay as they are.",
                exception);
        }
    }

    private static void Add(NpgsqlBatch batch, string sql, RuleStateChange[] changes, bool withPayload)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.Add(SqlArray.Of(changes, c => c.Partition.Stream));
        command.Parameters.Add(SqlArray.Of(changes, c => c.Partition.LogId));
        command.Parameters.Add(SqlArray.Of(changes, c => c.Partition.PartitionId));
        command.Parameters.Add(SqlArray.Of(changes, c => c.NextOffset));
        if (withPayload)
            command.Parameters.Add(SqlArray.Bytes(changes, c => c.Payload));
        batch.BatchCommands.Add(command);
    }
}
