using Npgsql;
using PaymentPlatform.MetricEngine.Sketches;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>Merges rows of <c>metric_deltas</c> into the tables and deletes them, in one transaction: a fold that ends half-way changes nothing.</summary>
/// <param name="maxRows">Of one fold. It ends after 4 MiB of payload too.</param>
/// <param name="timeShare">Of the time, folds take one part in this many at most, in whatever processes, unless they would fall behind; 1: all of it.</param>
public sealed class DeltaFolder(NpgsqlDataSource database, int maxRows = DeltaFolder.DefaultRows, ILogger? logger = null, int timeShare = 1)
{
    public const int DefaultRows = 200;

    /// <summary>"METFOLDS": the advisory lock that a fold, and whoever else changes the folded tables, holds for its transaction.</summary>
    public const long LockKey = 0x4D4554464F4C4453;

    private const long MaxBytes = 4 << 20;

    private const string SelectSql = """
        SELECT id, payload
        FROM (SELECT id, payload, sum(octet_length(payload)) OVER (ORDER BY id) - octet_length(payload) AS before FROM (SELECT id, payload FROM metric_deltas ORDER BY id LIMIT $1) d) d
        WHERE before < $2
        ORDER BY id
        """;

    // A clock that was set back does not keep folds waiting.
    private const string IsTooSoonSql = "SELECT EXISTS (SELECT FROM metric_folds WHERE clock_timestamp() BETWEEN ended_at AND ended_at + least($1 * taken, interval '5 seconds'))";

    private const string NoteSql = """
        INSERT INTO metric_folds (ended_at, taken)
        VALUES (clock_timestamp(), CASE WHEN $1 THEN interval '0' ELSE clock_timestamp() - now() END)
        ON CONFLICT (is_last) DO UPDATE SET ended_at = excluded.ended_at, taken = excluded.taken
        """;

    /// <returns>Null when another process is at it, or the last fold is too short a time ago.</returns>
    /// <exception cref="SketchFormatException">A row, or what a table holds, can't be read; nothing was changed.</exception>
    public async Task<Fold?> FoldAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
        if (!await TryLockAsync(transaction, cancellationToken) || await IsTooSoonAsync(transaction, cancellationToken))
            return null;
        var fold = await FoldOnceAsync(transaction, maxRows, logger, cancellationToken);
        if (fold.Rows == 0)
            return fold;
        await using var note = new NpgsqlCommand(NoteSql, connection, transaction) { Parameters = { new() { Value = fold.IsAtLimit } } };
        await note.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return fold;
    }

    /// <summary>One fold in the caller's transaction, which holds <see cref="LockKey"/>, over the tables that its search path finds.</summary>
    /// <returns>How many rows were folded.</returns>
    /// <inheritdoc cref="FoldAsync(CancellationToken)" path="/exception"/>
    public static async Task<int> FoldAsync(NpgsqlTransaction transaction, int maxRows, CancellationToken cancellationToken) =>
        (await FoldOnceAsync(transaction, maxRows, null, cancellationToken)).Rows;

    /// <summary>Takes <see cref="LockKey"/> for the rest of the transaction.</summary>
    /// <returns>False when another holds it.</returns>
    public static async Task<bool> TryLockAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_try_advisory_xact_lock($1)", transaction.Connection, transaction) { Parameters = { new() { Value = LockKey } } };
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task<Fold> FoldOnceAsync(NpgsqlTransaction transaction, int maxRows, ILogger? logger, CancellationToken cancellationToken)
    {
        var delta = new MetricDelta();
        var (ids, bytes) = await ReadAsync(transaction, delta, maxRows, cancellationToken);
        if (ids.Count == 0)
            return default;
        await DeltaTables.MergeAsync(transaction, delta, cancellationToken, logger);
        await using var delete = new NpgsqlCommand("DELETE FROM metric_deltas WHERE id = ANY ($1)", transaction.Connection, transaction) { Parameters = { new() { Value = ids.ToArray() } } };
        var deleted = await delete.ExecuteNonQueryAsync(cancellationToken);
        return deleted == ids.Count
            ? new(ids.Count, ids.Count == maxRows || bytes >= MaxBytes)
            : throw new InvalidOperationException($"{ids.Count} rows of metric_deltas were read, and {deleted} of them are still there: something else deletes from it.");
    }

    private async Task<bool> IsTooSoonAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        if (timeShare == 1)
            return false;
        await using var command = new NpgsqlCommand(IsTooSoonSql, transaction.Connection, transaction) { Parameters = { new() { Value = timeShare - 1 } } };
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task<(List<long> Ids, long Bytes)> ReadAsync(NpgsqlTransaction transaction, MetricDelta delta, int maxRows, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SelectSql, transaction.Connection, transaction) { Parameters = { new() { Value = (long)maxRows }, new() { Value = (decimal)MaxBytes } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (ids, bytes) = (new List<long>(), 0L);
        while (await reader.ReadAsync(cancellationToken))
        {
            ids.Add(reader.GetInt64(0));
            var payload = reader.GetFieldValue<byte[]>(1);
            bytes += payload.Length;
            DeltaCodec.MergeInto(delta, payload);
        }

        return (ids, bytes);
    }
}
