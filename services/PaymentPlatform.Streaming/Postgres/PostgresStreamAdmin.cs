using Npgsql;
using PaymentPlatform.Streaming.Leasing;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Makes, drops and describes streams.</summary>
public sealed class PostgresStreamAdmin(NpgsqlDataSource database)
{
    /// <summary>Makes the stream when there is none of that name; its log gets a new id.</summary>
    /// <param name="partitions">1 to 256; an existing stream keeps its own number.</param>
    /// <returns>The stream as it is now.</returns>
    public async Task<PostgresStreamDescription> CreateAsync(string stream, int partitions, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using (var command = new NpgsqlCommand(
            """
            WITH made AS (
                INSERT INTO stream_logs (stream, log_id, partition_count) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING log_id
            ), rows AS (
                INSERT INTO stream_partitions (log_id, partition_id) SELECT made.log_id, i FROM made, generate_series(0, $3 - 1) AS i
            )
            SELECT pg_notify($4, 'l:' || $1) FROM made
            """, connection))
        {
            command.Parameters.Add(new() { Value = stream });
            command.Parameters.Add(new() { Value = Guid.CreateVersion7().ToString() });
            command.Parameters.Add(new() { Value = partitions });
            command.Parameters.Add(new() { Value = StreamSignals.Channel });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        return await DescribeAsync(stream, connection, cancellationToken) ?? throw new InvalidOperationException($"The stream '{stream}' was dropped at the same moment.");
    }

    /// <summary>
    /// Drops the stream with all its events. Checkpoints of its log stay, and never match another log; what a registered group had not read is recorded as a gap.
    /// A gap may hold events that a consumer had in hand and still commits.
    /// </summary>
    public async Task DropAsync(string stream, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        // One transaction in one round trip. Retention first, which locks batches before partitions; then the partitions' rows in order, as appends lock them:
        // from there on nothing is appended any more, and what was is seen by the statements after.
        string[] statements =
        [
            "SELECT pg_advisory_xact_lock(hashtextextended('retain/' || $1, 0))",
            "SELECT 1 FROM stream_partitions WHERE log_id IN (SELECT log_id FROM stream_logs WHERE stream = $1) ORDER BY partition_id FOR UPDATE",
            """
            INSERT INTO stream_gaps AS s (consumer_group, stream, log_id, partition_id, first_offset, next_offset)
            SELECT consumer_group, stream, log_id, partition_id, position, end_offset FROM stream_lag WHERE stream = $1 AND lag > 0
            ON CONFLICT (consumer_group, stream, log_id, partition_id, first_offset) DO UPDATE SET next_offset = greatest(s.next_offset, excluded.next_offset)
            """,
            "DELETE FROM stream_batches WHERE log_id IN (SELECT log_id FROM stream_logs WHERE stream = $1)",
            "DELETE FROM stream_logs WHERE stream = $1",
            $"SELECT pg_notify('{StreamSignals.Channel}', 'l:' || $1)",
        ];
        await using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        foreach (var statement in statements)
            batch.BatchCommands.Add(new(statement) { Parameters = { new() { Value = stream } } });
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The stream as it is now, or null when there is none.</summary>
    public async Task<PostgresStreamDescription?> DescribeAsync(string stream, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await DescribeAsync(stream, connection, cancellationToken);
    }

    private static async Task<PostgresStreamDescription?> DescribeAsync(string stream, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT l.log_id, p.partition_id, p.first_offset, p.next_offset, p.stored_bytes, l.transport
            FROM stream_logs l JOIN stream_partitions p ON p.log_id = l.log_id WHERE l.stream = $1 ORDER BY p.partition_id
            """, connection) { Parameters = { new() { Value = stream } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        string? logId = null;
        var partitions = new List<PostgresPartitionDescription>();
        while (await reader.ReadAsync(cancellationToken))
        {
            logId = reader.GetString(0);
            if (reader.GetString(5) is not "Postgres" and var transport)
                throw new InvalidOperationException($"the stream's name belongs to the transport {transport} here, choose another one (Streaming:Stream)");
            partitions.Add(new(reader.GetInt32(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4)));
        }

        return logId is null ? null : new(stream, logId, partitions);
    }
}
