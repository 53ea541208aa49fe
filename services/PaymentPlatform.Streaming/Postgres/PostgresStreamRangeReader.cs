using System.Runtime.CompilerServices;
using Npgsql;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Reads stored record batches of a log by their offsets.</summary>
internal sealed class PostgresStreamRangeReader(HybridConnectionManager connections) : StreamRangeReader
{
    public override async IAsyncEnumerable<MessageBatch> ReadAsync(OffsetRange range, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await RequireAsync(range, cancellationToken);

        // One row a call: a record batch is some 100 kB, and no connection is held while the reader works on it.
        for (var next = range.From; next < range.To;)
        {
            var batch = new PostgresMessageBatch(range.Partition, next);
            try
            {
                var from = next;
                if (!await connections.ExecuteAsync((connection, token) => ReadOneAsync(connection, range.Partition, from, batch, token), cancellationToken))
                    throw new StreamRangeGoneException($"The stream lost offset {next} of {range.Partition} while it was being read: its retention has passed it.");
            }
            catch
            {
                batch.Dispose();
                throw;
            }

            next = batch.NextOffset;
            yield return batch;
        }
    }

    /// <exception cref="StreamRangeGoneException"/>
    private async Task RequireAsync(OffsetRange range, CancellationToken cancellationToken)
    {
        var (found, first, end) = await connections.ExecuteAsync(async (connection, token) =>
        {
            const string sql = """
                SELECT p.first_offset, p.next_offset FROM stream_partitions p JOIN stream_logs l USING (log_id)
                WHERE l.stream = $1 AND p.log_id = $2 AND p.partition_id = $3
                """;
            await using var command = new NpgsqlCommand(sql, connection)
            {
                Parameters = { new() { Value = range.Partition.Stream }, new() { Value = range.Partition.LogId }, new() { Value = range.Partition.PartitionId } },
            };
            await using var reader = await command.ExecuteReaderAsync(token);
            return await reader.ReadAsync(token) ? (true, reader.GetInt64(0), reader.GetInt64(1)) : (false, 0L, 0L);
        }, cancellationToken);
        if (!found)
            throw new StreamRangeGoneException($"The log of {range.Partition} is gone.");
        if (range.From < first || range.To > end)
            throw new StreamRangeGoneException($"The stream holds offsets {first} to {end} of {range.Partition}, not all of {range.From} to {range.To}.");
    }

    private static async Task<bool> ReadOneAsync(NpgsqlConnection connection, StreamPartition partition, long offset, PostgresMessageBatch batch, CancellationToken cancellationToken)
    {
        // The batch that holds the offset is the last that starts at or before it.
        const string sql = """
            SELECT first_offset, next_offset, uncompressed_bytes, (extract(epoch FROM enqueued_at) * 1000000)::bigint, payload
            FROM stream_batches WHERE log_id = $1 AND partition_id = $2 AND first_offset <= $3
            ORDER BY first_offset DESC LIMIT 1
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = partition.LogId }, new() { Value = partition.PartitionId }, new() { Value = offset } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken) || reader.GetInt64(1) <= offset)
            return false;
        batch.Append(reader.GetFieldValue<byte[]>(4), reader.GetInt32(2), reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(3));
        return true;
    }
}
