using Npgsql;

namespace PaymentPlatform.Storage.Database.Checkpoints;

/// <summary>
/// The consumers' positions. A checkpoint moves only by compare-and-swap inside the transaction that writes the effects;
/// that is the fence against stale owners and what makes effects exactly-once.
/// </summary>
public static class CheckpointStore
{
    private const string Lock = """
        SELECT c.stream, c.log_id, c.partition_id, c.next_offset
        FROM stream_checkpoints c
        WHERE c.consumer_group = $1 AND (c.stream, c.log_id, c.partition_id) IN (SELECT * FROM unnest($2::text[], $3::text[], $4::int[]))
        ORDER BY c.stream COLLATE "C", c.log_id COLLATE "C", c.partition_id
        FOR UPDATE
        """;

    // A statement of its own: its snapshot is younger than the locks, so what it compares is what stands.
    private const string Move = """
        WITH wanted AS MATERIALIZED (
            SELECT * FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[], $6::bigint[]) AS w(stream, log_id, partition_id, expected, next)
        ), fresh AS MATERIALIZED (
            SELECT w.* FROM wanted w JOIN stream_checkpoints c USING (stream, log_id, partition_id) WHERE c.consumer_group = $1 AND c.next_offset = w.expected
        )
        UPDATE stream_checkpoints c SET next_offset = f.next, updated_at = clock_timestamp()
        FROM fresh f
        WHERE c.consumer_group = $1 AND c.stream = f.stream AND c.log_id = f.log_id AND c.partition_id = f.partition_id
          AND (SELECT count(*) FROM fresh) = (SELECT count(*) FROM wanted)
        """;

    /// <summary>
    /// Locks the checkpoints in key order, and moves each from <see cref="OffsetRange.From"/> to <see cref="OffsetRange.To"/> if all of them still stand at their From.
    /// </summary>
    /// <param name="ranges">At most one a partition.</param>
    /// <returns>Empty when all moved. Otherwise nothing moved, and these are the partitions that another owner has moved on: roll back.</returns>
    public static async Task<IReadOnlyList<StreamPartition>> AdvanceAsync(
        NpgsqlTransaction transaction, string consumerGroup, IReadOnlyCollection<OffsetRange> ranges, CancellationToken cancellationToken)
    {
        if (ranges.Count == 0)
            return [];
        var ordered = ranges.OrderBy(r => r.Partition).ToArray();
        var streams = ordered.Select(r => r.Partition.Stream).ToArray();
        var logs = ordered.Select(r => r.Partition.LogId).ToArray();
        var partitions = ordered.Select(r => r.Partition.PartitionId).ToArray();
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction)
        {
            BatchCommands =
            {
                new(Lock) { Parameters = { new() { Value = consumerGroup }, new() { Value = streams }, new() { Value = logs }, new() { Value = partitions } } },
                new(Move)
                {
                    Parameters =
                    {
                        new() { Value = consumerGroup }, new() { Value = streams }, new() { Value = logs }, new() { Value = partitions },
                        new() { Value = ordered.Select(r => r.From).ToArray() }, new() { Value = ordered.Select(r => r.To).ToArray() },
                    },
                },
            },
        };
        var stale = ordered.ToDictionary(r => r.Partition, r => r.From);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var partition = new StreamPartition(reader.GetString(0), reader.GetString(1), reader.GetInt32(2));
            if (stale.TryGetValue(partition, out var expected) && reader.GetInt64(3) == expected)
                stale.Remove(partition);
        }

        await reader.NextResultAsync(cancellationToken);
        return [.. stale.Keys.Order()];
    }

    /// <summary>The next offset to read, creating the checkpoint at <paramref name="start"/> when the group has none for this log yet.</summary>
    public static async Task<long> GetOrCreateAsync(
        NpgsqlConnection connection, string consumerGroup, StreamPartition partition, long start, CancellationToken cancellationToken)
    {
        const string find = "SELECT next_offset FROM stream_checkpoints WHERE consumer_group = $1 AND stream = $2 AND log_id = $3 AND partition_id = $4";
        const string make = """
            INSERT INTO stream_checkpoints (consumer_group, stream, log_id, partition_id, next_offset, start_offset)
            VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING RETURNING next_offset
            """;
        // An insert waits for whoever is moving the row, and that may be a paused owner: it would keep its successor from everything.
        return await RunAsync(find) ?? await RunAsync(make, start)
            // Another session made it meanwhile.
            ?? (await RunAsync(find))!.Value;

        async Task<long?> RunAsync(string sql, params object[] more)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            foreach (var value in (object[])[consumerGroup, partition.Stream, partition.LogId, partition.PartitionId, .. more])
                command.Parameters.Add(new() { Value = value });
            return (long?)await command.ExecuteScalarAsync(cancellationToken);
        }
    }

    /// <summary>The partitions in which a group has not come as far as a cut. A log that is no more is left out: nothing moves there any more.</summary>
    /// <param name="cut">The next offset by partition.</param>
    public static async Task<IReadOnlyList<StreamPartition>> ListBehindAsync(
        NpgsqlConnection connection, string consumerGroup, IReadOnlyDictionary<StreamPartition, long> cut, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT w.stream, w.log_id, w.partition_id
            FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[]) AS w(stream, log_id, partition_id, cut)
            JOIN stream_logs l ON l.stream = w.stream AND l.log_id = w.log_id
            JOIN stream_partitions p ON p.log_id = w.log_id AND p.partition_id = w.partition_id
            LEFT JOIN stream_checkpoints c ON c.consumer_group = $1 AND c.stream = w.stream AND c.log_id = w.log_id AND c.partition_id = w.partition_id
            WHERE coalesce(c.next_offset, p.first_offset) < w.cut
            """;
        var partitions = cut.ToArray();
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new() { Value = consumerGroup }, new() { Value = Array.ConvertAll(partitions, p => p.Key.Stream) }, new() { Value = Array.ConvertAll(partitions, p => p.Key.LogId) },
                new() { Value = Array.ConvertAll(partitions, p => p.Key.PartitionId) }, new() { Value = Array.ConvertAll(partitions, p => p.Value) },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var behind = new List<StreamPartition>();
        while (await reader.ReadAsync(cancellationToken))
            behind.Add(new(reader.GetString(0), reader.GetString(1), reader.GetInt32(2)));
        return behind;
    }

    /// <summary>Where a group stands in all partitions, in the transaction's snapshot if there is one.</summary>
    public static async Task<IReadOnlyDictionary<StreamPartition, long>> ReadAsync(NpgsqlConnection connection, string consumerGroup, CancellationToken cancellationToken)
    {
        const string sql = "SELECT stream, log_id, partition_id, next_offset FROM stream_checkpoints WHERE consumer_group = $1";
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = consumerGroup } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var checkpoints = new Dictionary<StreamPartition, long>();
        while (await reader.ReadAsync(cancellationToken))
            checkpoints.Add(new(reader.GetString(0), reader.GetString(1), reader.GetInt32(2)), reader.GetInt64(3));
        return checkpoints;
    }
}
