using Npgsql;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Metrics.Clusters;

/// <summary>The table <c>metric_clusters</c>, and which samples it is to follow.</summary>
internal sealed class ClusterTable(NpgsqlDataSource database)
{
    public const string Name = "metric_clusters";

    private const string InsertSql = """
        INSERT INTO metric_clusters (window_start, sample_updated_at, sampled_events, cluster, event_count, share, mean_amount, min_amount, max_amount, payment_method, payment_method_share, currency, currency_share)
        SELECT $1, $2, $3, * FROM unnest($4::int[], $5::int[], $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[], $10::text[], $11::numeric[], $12::text[], $13::numeric[])
        """;

    /// <summary>Clusters of windows that a rebuild left without a sample.</summary>
    public static async Task DeleteOrphansAsync(NpgsqlTransaction transaction, long from, long to, CancellationToken cancellationToken)
    {
        const string sql = "DELETE FROM metric_clusters c WHERE c.window_start >= $1 AND c.window_start < $2 AND NOT EXISTS (SELECT FROM cluster_samples s WHERE s.window_start = c.window_start)";
        await ExecuteAsync(transaction, sql, cancellationToken, SqlArray.Time(from), SqlArray.Time(to));
    }

    /// <summary>The oldest windows first.</summary>
    /// <param name="after">Microseconds since the Unix epoch; null to begin with the oldest.</param>
    public async Task<List<ChangedSample>> ListChangedAsync(long? after, int limit, CancellationToken cancellationToken)
    {
        var sql = $"SELECT window_start, updated_at, payload FROM cluster_samples WHERE clustered_from IS DISTINCT FROM updated_at{(after is null ? "" : " AND window_start > $2")} ORDER BY window_start LIMIT $1";
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = limit });
        if (after is { } time)
            command.Parameters.Add(SqlArray.Time(time));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var samples = new List<ChangedSample>();
        while (await reader.ReadAsync(cancellationToken))
            samples.Add(new(SqlArray.Micros(reader, 0), SqlArray.Micros(reader, 1), reader.GetFieldValue<byte[]>(2)));
        return samples;
    }

    /// <summary>Puts the sample's clusters in the place of the window's.</summary>
    /// <returns>False, with nothing written, when the sample has changed meanwhile.</returns>
    public async Task<bool> ReplaceAsync(ChangedSample sample, int sampledEvents, IReadOnlyList<ClusterSummary> clusters, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
        // First, as the swap of a rebuild does: samples, then clusters.
        const string claim = "UPDATE cluster_samples SET clustered_from = updated_at WHERE window_start = $1 AND updated_at = $2";
        if (await ExecuteAsync(transaction, claim, cancellationToken, SqlArray.Time(sample.WindowStart), SqlArray.Time(sample.UpdatedAt)) == 0)
            return false;
        await ExecuteAsync(transaction, "DELETE FROM metric_clusters WHERE window_start = $1", cancellationToken, SqlArray.Time(sample.WindowStart));
        if (clusters.Count > 0)
        {
            ClusterSummary[] rows = [.. clusters];
            await ExecuteAsync(
                transaction, InsertSql, cancellationToken,
                SqlArray.Time(sample.WindowStart), SqlArray.Time(sample.UpdatedAt), new() { Value = sampledEvents },
                SqlArray.Of(rows, r => r.Cluster), SqlArray.Of(rows, r => r.EventCount), SqlArray.Of(rows, r => r.Share),
                SqlArray.Of(rows, r => r.MeanAmount), SqlArray.Of(rows, r => r.MinAmount), SqlArray.Of(rows, r => r.MaxAmount),
                SqlArray.Of(rows, r => r.PaymentMethod), SqlArray.Of(rows, r => r.PaymentMethodShare), SqlArray.Of(rows, r => r.Currency), SqlArray.Of(rows, r => r.CurrencyShare));
        }

        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static async Task<int> ExecuteAsync(NpgsqlTransaction transaction, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction);
        command.Parameters.AddRange(parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
