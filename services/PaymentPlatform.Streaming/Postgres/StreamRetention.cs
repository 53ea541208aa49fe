using Microsoft.Extensions.Options;
using Npgsql;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Deletes what every registered group had read a retention ago, and claims that are older than a day. One process at a time does it; the others pass by.</summary>
internal sealed class StreamRetention(NpgsqlDataSource database, IOptions<StreamingOptions> options)
{
    private const int BatchesPerStep = 200;
    private const int ClaimsPerStep = 10_000;
    private static readonly TimeSpan s_claimLifetime = TimeSpan.FromHours(24);

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

        return (batches, await DeleteClaimsAsync(connection, now, cancellationToken));
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

    private static async Task<long> DeleteClaimsAsync(NpgsqlConnection connection, DateTimeOffset? now, CancellationToken cancellationToken)
    {
        var claims = 0L;
        int step;
        do
        {
            await using var command = new NpgsqlCommand(
                """
                DELETE FROM ingest_idempotency WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM ingest_idempotency WHERE created_at < coalesce($1, clock_timestamp()) - $2 ORDER BY created_at LIMIT $3 FOR UPDATE SKIP LOCKED))
                """, connection);
            command.Parameters.Add(new() { Value = now?.UtcDateTime ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz });
            command.Parameters.Add(new() { Value = s_claimLifetime });
            command.Parameters.Add(new() { Value = ClaimsPerStep });
            claims += step = await command.ExecuteNonQueryAsync(cancellationToken);
        }
        while (step == ClaimsPerStep);
        return claims;
    }
}
