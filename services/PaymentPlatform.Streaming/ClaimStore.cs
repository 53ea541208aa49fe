using Npgsql;
using NpgsqlTypes;

namespace PaymentPlatform.Streaming;

/// <summary>The table of idempotency claims.</summary>
internal static class ClaimStore
{
    /// <summary>The claims that are settled: their messages are in the stream, or they belong to another body.</summary>
    public static async Task<Dictionary<(string Key, int Chunk), Standing>> ReadAsync(NpgsqlConnection connection, IReadOnlyCollection<IdempotencyClaim> claims, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT i.key, i.chunk, i.body_hash, i.outcome, i.sending_until IS NOT NULL
            FROM unnest($1::text[], $2::int[]) AS c(key, chunk) JOIN ingest_idempotency i ON i.key = c.key AND i.chunk = c.chunk
            """, connection);
        AddKeys(command, claims);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var standing = new Dictionary<(string, int), Standing>();
        while (await reader.ReadAsync(cancellationToken))
            standing[(reader.GetString(0), reader.GetInt32(1))] = new((byte[])reader[2], (byte[])reader[3], reader.GetBoolean(4));
        return standing;
    }

    /// <summary>Takes the claims that are new, and those of the same body whose sender was silent past its time.</summary>
    /// <returns>The ones taken, with the moment of the first attempt in microseconds since the Unix epoch.</returns>
    public static async Task<Dictionary<(string Key, int Chunk), long>> BeginAsync(
        NpgsqlConnection connection, IReadOnlyCollection<IdempotencyClaim> claims, TimeSpan duration, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO ingest_idempotency AS i (key, chunk, body_hash, outcome, sending_until)
            SELECT c.key, c.chunk, c.body_hash, c.outcome, clock_timestamp() + $5
            FROM unnest($1::text[], $2::int[], $3::bytea[], $4::bytea[]) AS c(key, chunk, body_hash, outcome)
            ORDER BY c.key COLLATE "C", c.chunk
            ON CONFLICT (key, chunk) DO UPDATE SET outcome = excluded.outcome, sending_until = excluded.sending_until
            WHERE i.sending_until <= clock_timestamp() AND i.body_hash = excluded.body_hash
            RETURNING i.key, i.chunk, (extract(epoch FROM i.created_at) * 1000000)::bigint
            """, connection);
        AddKeys(command, claims);
        command.Parameters.Add(ByteArrays(claims.Select(c => c.BodyHash)));
        command.Parameters.Add(ByteArrays(claims.Select(c => c.Outcome)));
        command.Parameters.Add(new() { Value = duration });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var taken = new Dictionary<(string, int), long>();
        while (await reader.ReadAsync(cancellationToken))
            taken[(reader.GetString(0), reader.GetInt32(1))] = reader.GetInt64(2);
        return taken;
    }

    /// <summary>Their messages are in the stream (<paramref name="sent"/>), or the next attempt may begin at once.</summary>
    public static async Task EndAsync(NpgsqlConnection connection, IReadOnlyCollection<IdempotencyClaim> claims, bool sent, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            UPDATE ingest_idempotency i SET sending_until = CASE WHEN $3 THEN NULL ELSE clock_timestamp() END
            FROM (SELECT x.key, x.chunk FROM ingest_idempotency x JOIN unnest($1::text[], $2::int[]) AS c(key, chunk) ON x.key = c.key AND x.chunk = c.chunk
                  WHERE x.sending_until IS NOT NULL ORDER BY x.key COLLATE "C", x.chunk FOR UPDATE OF x) o
            WHERE i.key = o.key AND i.chunk = o.chunk
            """, connection);
        AddKeys(command, claims);
        command.Parameters.Add(new() { Value = sent });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static NpgsqlParameter ByteArrays(IEnumerable<ReadOnlyMemory<byte>> values) =>
        new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };

    private static void AddKeys(NpgsqlCommand command, IReadOnlyCollection<IdempotencyClaim> claims)
    {
        command.Parameters.Add(new() { Value = claims.Select(c => c.Key).ToArray() });
        command.Parameters.Add(new() { Value = claims.Select(c => c.Chunk).ToArray() });
    }

    /// <param name="IsSending">Not settled: somebody is sending the messages, or was.</param>
    internal readonly record struct Standing(byte[] BodyHash, byte[] Outcome, bool IsSending);
}
