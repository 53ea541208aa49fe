using Npgsql;

namespace PaymentPlatform.Query;

/// <summary>Reads how far the archive is behind the stream. To be asked before the files are looked up, so that no event falls between the two.</summary>
public sealed class ArchiveTailReader(DatabaseTurns database)
{
    public Task<ArchiveTail> ReadAsync(CancellationToken cancellationToken) => database.ExecuteAsync(ReadAsync, cancellationToken);

    private static async Task<ArchiveTail> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Of a partition that lags, the first batch that is not archived; the stream of a broker is not in the database.
        await using var command = new NpgsqlCommand(
            """
            SELECT coalesce(sum(l.lag), 0)::bigint,
                   CASE WHEN bool_and(l.lag = 0 OR b.enqueued_at IS NOT NULL) THEN least(now(), min(b.enqueued_at) FILTER (WHERE l.lag > 0)) END
            FROM stream_lag l
            LEFT JOIN LATERAL (
              SELECT enqueued_at FROM stream_batches WHERE log_id = l.log_id AND partition_id = l.partition_id AND l.lag > 0 AND first_offset <= l.position
              ORDER BY first_offset DESC LIMIT 1) b ON true
            WHERE l.consumer_group = 'archiver'
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new(reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetDateTime(1));
    }
}
