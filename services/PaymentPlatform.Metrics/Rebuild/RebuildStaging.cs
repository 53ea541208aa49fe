using System.Globalization;
using Npgsql;
using PaymentPlatform.Metrics.Clusters;
using PaymentPlatform.Metrics.Deltas;

namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>
/// The tables that a rebuild fills, in a schema of its own under the same names: whoever enters it writes there with the statements that write the live tables.
/// The rebuild puts in what it computes from the archive below its cut; commits of the metrics service put in what comes after the cut. All of it is additive, so the order does not matter.
/// </summary>
/// <param name="From">The range, microseconds since the Unix epoch; what lies outside of it comes along and is left behind at the swap.</param>
internal sealed record RebuildStaging(long Id, int Attempt, long From, long To)
{
    // Clusters follow from samples: the swapped in ones have not been clustered, and so come next.
    private static readonly (string Name, string Time)[] Tables = [.. MetricPartitions.Tables.Where(t => t.Table != ClusterTable.Name)];

    private string Schema => string.Create(CultureInfo.InvariantCulture, $"rebuild_{Id}_{Attempt}");

    /// <summary>The rebuild that a commit must write for. Call it once the transaction holds its checkpoints: a rebuild begins and ends while nobody does.</summary>
    public static async Task<RebuildStaging?> FindRunningAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        const string sql = "SELECT id, attempts, range_from, range_to FROM metric_rebuilds WHERE state = 'running'";
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new(reader.GetInt64(0), reader.GetInt32(1), SqlArray.Micros(reader, 2), SqlArray.Micros(reader, 3)) : null;
    }

    /// <summary>From here on, the transaction's statements mean the tables of this schema.</summary>
    public Task EnterAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken) => RunAsync(transaction, $"SET LOCAL search_path = {Schema}, public", cancellationToken);

    public async Task CreateAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await RunAsync(transaction, $"CREATE SCHEMA {Schema}", cancellationToken);
        foreach (var table in Tables.Select(t => t.Name).Append("metric_deltas"))
            await RunAsync(transaction, $"CREATE TABLE {Schema}.{table} (LIKE public.{table} INCLUDING ALL)", cancellationToken);
    }

    /// <summary>Drops the schemas of all attempts of all rebuilds but the running one: a killed process leaves its own behind.</summary>
    public static Task DropLeftoversAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken) => RunAsync(
        transaction,
        """
        DO $$
        DECLARE
          v_name text;
        BEGIN
          FOR v_name IN
            SELECT nspname FROM pg_namespace
            WHERE nspname ~ '^rebuild_[0-9]+_[0-9]+$' AND NOT EXISTS (SELECT FROM metric_rebuilds r WHERE r.state = 'running' AND nspname = format('rebuild_%s_%s', r.id, r.attempts))
          LOOP
            EXECUTE format('DROP SCHEMA %I CASCADE', v_name);
          END LOOP;
        END $$
        """,
        cancellationToken);

    /// <summary>Puts the range's rows in the place of the live ones: as long as it takes to delete and insert that many rows. The caller's transaction keeps commits and folds away.</summary>
    public async Task SwapAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        // Deltas of before that are still to be folded would come on top of the new rows.
        while (await DeltaFolder.FoldAsync(transaction, DeltaFolder.DefaultRows, cancellationToken) > 0)
        {
        }

        await EnterAsync(transaction, cancellationToken);
        while (await DeltaFolder.FoldAsync(transaction, DeltaFolder.DefaultRows, cancellationToken) > 0)
        {
        }

        await RunAsync(transaction, "SET LOCAL search_path = public", cancellationToken);
        foreach (var (table, time) in Tables)
        {
            var columns = await ColumnsAsync(transaction, table, cancellationToken);
            await RunAsync(transaction, $"DELETE FROM {table} WHERE {time} >= $1 AND {time} < $2", cancellationToken, SqlArray.Time(From), SqlArray.Time(To));
            await RunAsync(transaction, $"INSERT INTO {table} ({columns}) SELECT {columns} FROM {Schema}.{table} WHERE {time} >= $1 AND {time} < $2", cancellationToken, SqlArray.Time(From), SqlArray.Time(To));
        }

        // The others stay until those of the new sample replace them.
        await ClusterTable.DeleteOrphansAsync(transaction, From, To, cancellationToken);
        await RunAsync(transaction, $"DROP SCHEMA {Schema} CASCADE", cancellationToken);
    }

    private static async Task<string> ColumnsAsync(NpgsqlTransaction transaction, string table, CancellationToken cancellationToken)
    {
        const string sql = "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''";
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction) { Parameters = { new() { Value = $"public.{table}" } } };
        return (string)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task RunAsync(NpgsqlTransaction transaction, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction) { CommandTimeout = 0 };
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
