using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Repeats;

/// <summary>What a commit adds to the table <c>consumed_keys</c>: which events of which idempotency keys are taken with it.</summary>
public sealed class TakenKeys
{
    internal TakenKeys(IReadOnlyList<Row> rows) => Rows = rows;

    public static TakenKeys None { get; } = new([]);

    internal IReadOnlyList<Row> Rows { get; }

    /// <summary>In the transaction that moves the partitions' checkpoints: their compare-and-swap keeps stale owners out of here too.</summary>
    public async Task WriteAsync(NpgsqlTransaction transaction, string consumerGroup, CancellationToken cancellationToken)
    {
        if (Rows.Count == 0)
            return;
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO consumed_keys (consumer_group, stream, partition_id, key, bucket, taken)
            SELECT $1, r.stream, r.partition_id, r.key, r.bucket, r.taken
            FROM unnest($2::text[], $3::int[], $4::text[], $5::bigint[], $6::bytea[]) AS r(stream, partition_id, key, bucket, taken)
            ORDER BY r.stream COLLATE "C", r.partition_id, r.key COLLATE "C", r.bucket
            ON CONFLICT (consumer_group, stream, partition_id, key, bucket) DO UPDATE SET taken = excluded.taken, updated_at = now()
            """, transaction.Connection, transaction);
        command.Parameters.Add(new() { Value = consumerGroup });
        command.Parameters.Add(new() { Value = Rows.Select(r => r.Partition.Stream).ToArray() });
        command.Parameters.Add(new() { Value = Rows.Select(r => r.Partition.PartitionId).ToArray() });
        command.Parameters.Add(new() { Value = Rows.Select(r => r.Key).ToArray() });
        command.Parameters.Add(new() { Value = Rows.Select(r => r.Bucket).ToArray() });
        command.Parameters.Add(new() { Value = Rows.Select(r => r.Taken).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    internal readonly record struct Row(StreamPartition Partition, string Key, long Bucket, byte[] Taken);
}
