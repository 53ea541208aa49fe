using Npgsql;
using PaymentPlatform.Metrics.Clusters;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Metrics;

/// <summary>Makes the partitions of the days to come, drops those that are older than the retention, and forgets what rules knew of logs that are gone.</summary>
/// <param name="retention">0 is for ever.</param>
internal sealed class MetricPartitions(NpgsqlDataSource database, TimeSpan retention, TimeProvider time)
{
    /// <summary>"METPARTS"</summary>
    private const long LockKey = 0x4D45545041525453;

    private const int RowsAtOnce = 10_000;
    private const int DaysBehind = 1, DaysAhead = 2;

    /// <summary>Each partitioned table and the column of its days.</summary>
    internal static readonly IReadOnlyList<(string Table, string Column)> Tables =
    [
        ("payment_metrics_5m", "window_start"), ("aggregate_histograms", "time_window_start"), ("dynamic_metrics", "event_time"), ("rule_buckets", "window_start"), ("cluster_samples", "window_start"),
        (ClusterTable.Name, "window_start"),
    ];

    /// <summary>One process at a time; whoever finds another at it has nothing to do.</summary>
    /// <returns>Partitions made and dropped.</returns>
    public async Task<(int Made, int Dropped)> MaintainAsync(CancellationToken cancellationToken)
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        int made = 0, dropped = 0;
        foreach (var (table, column) in Tables)
        {
            for (var day = -DaysBehind; day <= DaysAhead; day++)
                made += await RunAsync<bool>("SELECT metrics_make_partition($1, $2, $3)", cancellationToken, table, column, today.AddDays(day)) == true ? 1 : 0;
            if (retention > TimeSpan.Zero)
                dropped += await RunAsync<int>("SELECT metrics_drop_before($1, $2, $3, $4)", cancellationToken, table, column, today.AddDays(-(int)Math.Ceiling(retention.TotalDays)), RowsAtOnce) ?? 0;
        }

        await RunAsync<long>(RuleStateStore.DeleteGoneSql, cancellationToken);
        return (made, dropped);
    }

    /// <returns>Null when another process is at it.</returns>
    private async Task<T?> RunAsync<T>(string sql, CancellationToken cancellationToken, params object[] values)
        where T : struct
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
        // Who waits for a table makes others wait behind it.
        await using (var prepare = new NpgsqlCommand("SET LOCAL lock_timeout = '5s'", connection, transaction))
            await prepare.ExecuteNonQueryAsync(cancellationToken);
        await using (var take = new NpgsqlCommand("SELECT pg_try_advisory_xact_lock($1)", connection, transaction) { Parameters = { new() { Value = LockKey } } })
        {
            if (!(bool)(await take.ExecuteScalarAsync(cancellationToken))!)
                return null;
        }

        await using var command = new NpgsqlCommand(sql, connection, transaction);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        var result = (T)(await command.ExecuteScalarAsync(cancellationToken))!;
        await transaction.CommitAsync(cancellationToken);
        return result;
    }
}
