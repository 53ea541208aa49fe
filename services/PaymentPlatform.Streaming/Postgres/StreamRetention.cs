using Microsoft.Extensions.Options;
using Npgsql;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Deletes what every registered group had read a retention ago, and idempotency keys whose time is over. One process at a time does it; the others pass by.</summary>
internal sealed class StreamRetention(NpgsqlDataSource database, IOptions<StreamingOptions> options)
{
    private const int BatchesPerStep = 200;
    private const int KeysPerStep = 10_000;
    private static readonly TimeSpan s_claimLifetime = TimeSpan.FromHours(24);

    /// <summary>The claims of a resubmission that was cut off half-way, and of a replay that may go on, stay until it is ended, however long that takes: only the claim tells whether the events are in the stream.</summary>
    private const string SpentClaim =
        "NOT EXISTS (SELECT 1 FROM failed_item_sends s WHERE s.claim_key = k.key) AND NOT EXISTS (SELECT 1 FROM replays r WHERE r.state IN ('waiting', 'running', 'failed') AND k.key LIKE 'replay/' || r.id || '/%')";

    /// <summary>A repeat of the last moment may wait in the broker for a while before it is read.</summary>
    private static readonly TimeSpan s_consumedKeyLifetime = TimeSpan.FromDays(8);

    /// <param name="now">The moment to judge by; null for the server's clock.</param>
    /// <returns>Record batches and claims that were deleted.</returns>
    public async Task<(long Batches, long Claims)> RunOnceAsync(DateTimeOffset? now, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var batches = 0L;
        foreach (var partition in await PartitionsAsync(connection, cancellationToken))
        {
            long step;
            do
            {
                await using var command = new NpgsqlCommand("SELECT stream_retain($1, $2, $3, $4, $5)", connection);
                command.Parameters.Add(new() { Value = options.Value.Stream });
                command.Parameters.Add(new() { Value = partition });
                command.Parameters.Add(new() { Value = options.Value.Retention });
                command.Parameters.Add(new() { Value = BatchesPerStep });
                command.Parameters.Add(new() { Value = now?.UtcDateTime ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz });
                step = (long)(await command.ExecuteScalarAsync(cancellationToken))!;
                batches += Math.Max(step, 0);
            }
            while (step == BatchesPerStep);
            if (step < 0)
                break;
        }

        var claims = await DeleteKeysAsync(connection, "ingest_idempotency", "created_at", SpentClaim, s_claimLifetime, now, cancellationToken);
        claims += await DeleteKeysAsync(connection, "consumed_keys", "updated_at", "true", s_consumedKeyLifetime, now, cancellationToken);
        return (batches, claims);
    }

    private async Task<List<int>> PartitionsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT p.partition_id FROM stream_logs l JOIN stream_partitions p ON p.log_id = l.log_id WHERE l.stream = $1 AND l.transport = 'Postgres' ORDER BY 1", connection);
        command.Parameters.Add(new() { Value = options.Value.Stream });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var partitions = new List<int>();
        while (await reader.ReadAsync(cancellationToken))
            partitions.Add(reader.GetInt32(0));
        return partitions;
    }

    /// <param name="spent">Holds for the rows that may go, called k.</param>
    private static async Task<long> DeleteKeysAsync(
        NpgsqlConnection connection, string table, string time, string spent, TimeSpan lifetime, DateTimeOffset? now, CancellationToken cancellationToken)
    {
        var deleted = 0L;
        int step;
        do
        {
            await using var command = new NpgsqlCommand(
                $"""
                DELETE FROM {table} WHERE ctid = ANY (ARRAY(
                    SELECT k.ctid FROM {table} k WHERE k.{time} < coalesce($1, clock_timestamp()) - $2 AND {spent} ORDER BY k.{time} LIMIT $3 FOR UPDATE OF k SKIP LOCKED))
                """, connection);
            command.Parameters.Add(new() { Value = now?.UtcDateTime ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz });
            command.Parameters.Add(new() { Value = lifetime });
            command.Parameters.Add(new() { Value = KeysPerStep });
            deleted += step = await command.ExecuteNonQueryAsync(cancellationToken);
        }
        while (step == KeysPerStep);
        return deleted;
    }
}
