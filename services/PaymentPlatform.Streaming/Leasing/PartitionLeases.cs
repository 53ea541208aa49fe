using Npgsql;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Leasing;

/// <summary>One consumer's membership, leases and checkpoints in the database. The server's clock decides what has expired.</summary>
internal sealed class PartitionLeases(NpgsqlDataSource database, string group, string stream, string owner, TimeSpan duration)
{
    /// <summary>Makes the group known, so that lag is counted for it and retention waits for it.</summary>
    public static async Task RegisterAsync(NpgsqlDataSource database, string group, string stream, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("INSERT INTO stream_groups (consumer_group, stream) VALUES ($1, $2) ON CONFLICT DO NOTHING", connection);
        command.Parameters.Add(new() { Value = group });
        command.Parameters.Add(new() { Value = stream });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The member's sign of life, and what it holds from now on.</summary>
    /// <param name="held">Partitions that the member still works on; any other lease of its own is given up.</param>
    /// <param name="leaving">True for a member that takes nothing more: what it holds is renewed, and counts for nobody's share.</param>
    public async Task<LeaseState> RenewAsync(int[] held, bool leaving, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT * FROM stream_lease($1, $2, $3, $4, $5, $6)", connection);
        command.Parameters.Add(new() { Value = group });
        command.Parameters.Add(new() { Value = stream });
        command.Parameters.Add(new() { Value = owner });
        command.Parameters.Add(new() { Value = duration });
        command.Parameters.Add(new() { Value = held });
        command.Parameters.Add(new() { Value = leaving });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        string? logId = null;
        var target = 0;
        var partitions = new List<LeasedPartition>();
        while (await reader.ReadAsync(cancellationToken))
        {
            logId = reader.IsDBNull(0) ? null : reader.GetString(0);
            target = reader.GetInt32(1);
            if (!reader.IsDBNull(2))
                partitions.Add(new(reader.GetInt32(2), reader.GetInt64(3), reader.GetInt64(4), reader.IsDBNull(5) ? null : reader.GetInt64(5)));
        }

        return new(logId, target, partitions);
    }

    /// <param name="leaving">Gives the membership up too, and every lease that the member has, also those it does not know of yet.</param>
    public async Task ReleaseAsync(int[] partitions, bool leaving, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT stream_release($1, $2, $3, $4, $5)", connection);
        command.Parameters.Add(new() { Value = group });
        command.Parameters.Add(new() { Value = stream });
        command.Parameters.Add(new() { Value = owner });
        command.Parameters.Add(new() { Value = partitions });
        command.Parameters.Add(new() { Value = leaving });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Where the group goes on in a partition. A checkpoint below the log's beginning is moved there, and what is lost between them is recorded as a gap, in one transaction.
    /// </summary>
    /// <returns>The position, and how many offsets are lost before it.</returns>
    public async Task<(long Position, long Lost)> OpenAsync(StreamPartition partition, long firstOffset, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        while (true)
        {
            var position = await CheckpointStore.GetOrCreateAsync(connection, group, partition, firstOffset, cancellationToken);
            if (position >= firstOffset)
                return (position, 0);
            await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
            var stale = await CheckpointStore.AdvanceAsync(transaction, group, [new(partition, position, firstOffset)], cancellationToken);
            if (stale.Count > 0)
                continue;
            await RecordGapAsync(connection, partition, position, firstOffset, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return (firstOffset, firstOffset - position);
        }
    }

    /// <summary>Where the group stands in the partitions of a log.</summary>
    public async Task<Dictionary<int, long>> ReadCheckpointsAsync(string logId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT partition_id, next_offset FROM stream_checkpoints WHERE consumer_group = $1 AND stream = $2 AND log_id = $3", connection);
        command.Parameters.Add(new() { Value = group });
        command.Parameters.Add(new() { Value = stream });
        command.Parameters.Add(new() { Value = logId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var checkpoints = new Dictionary<int, long>();
        while (await reader.ReadAsync(cancellationToken))
            checkpoints[reader.GetInt32(0)] = reader.GetInt64(1);
        return checkpoints;
    }

    /// <inheritdoc cref="RecordGapAsync(NpgsqlConnection, StreamPartition, long, long, CancellationToken)"/>
    public async Task<bool> RecordGapAsync(StreamPartition partition, long from, long to, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await RecordGapAsync(connection, partition, from, to, cancellationToken);
    }

    /// <summary>Offsets [from, to) are not in the log.</summary>
    /// <returns>False when the gap was known already.</returns>
    public async Task<bool> RecordGapAsync(NpgsqlConnection connection, StreamPartition partition, long from, long to, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO stream_gaps (consumer_group, stream, log_id, partition_id, first_offset, next_offset) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT DO NOTHING
            """, connection);
        command.Parameters.Add(new() { Value = group });
        command.Parameters.Add(new() { Value = partition.Stream });
        command.Parameters.Add(new() { Value = partition.LogId });
        command.Parameters.Add(new() { Value = partition.PartitionId });
        command.Parameters.Add(new() { Value = from });
        command.Parameters.Add(new() { Value = to });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>False when the stream has another log now, or none.</summary>
    public async Task<bool> IsCurrentAsync(string logId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT 1 FROM stream_logs WHERE stream = $1 AND log_id = $2", connection);
        command.Parameters.Add(new() { Value = stream });
        command.Parameters.Add(new() { Value = logId });
        return await command.ExecuteScalarAsync(cancellationToken) is not null;
    }

    public async Task<NpgsqlConnection> OpenConnectionAsync(CancellationToken cancellationToken) => await database.OpenConnectionAsync(cancellationToken);

    /// <summary>The partition's beginning while it is leased to this owner and its log is the stream's; null otherwise.</summary>
    public async Task<long?> FindOwnAsync(StreamPartition partition, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            """
            SELECT p.first_offset
            FROM stream_leases s JOIN stream_logs l ON l.stream = s.stream JOIN stream_partitions p ON p.log_id = l.log_id AND p.partition_id = s.partition_id
            WHERE s.consumer_group = $1 AND s.stream = $2 AND s.partition_id = $3 AND s.owner = $4 AND s.expires_at > clock_timestamp() AND l.log_id = $5
            """, connection);
        command.Parameters.Add(new() { Value = group });
        command.Parameters.Add(new() { Value = stream });
        command.Parameters.Add(new() { Value = partition.PartitionId });
        command.Parameters.Add(new() { Value = owner });
        command.Parameters.Add(new() { Value = partition.LogId });
        return (long?)await command.ExecuteScalarAsync(cancellationToken);
    }

    /// <param name="LogId">The stream's log, or null while there is no such stream.</param>
    /// <param name="Target">How many partitions this member should have.</param>
    internal sealed record LeaseState(string? LogId, int Target, IReadOnlyList<LeasedPartition> Partitions);

    /// <param name="Checkpoint">The group's, or null when there is none yet.</param>
    internal readonly record struct LeasedPartition(int PartitionId, long FirstOffset, long EndOffset, long? Checkpoint);
}
