using Npgsql;

namespace PaymentPlatform.Metrics;

/// <summary>Adds to the counts and amounts of <c>payment_metrics_5m</c>.</summary>
internal static class FigureTables
{
    /// <summary>Rows are locked in key order, by the index's own collation, so that several processes never deadlock.</summary>
    private const string UpsertSql = """
        INSERT INTO payment_metrics_5m AS m
          (window_start, window_end, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount)
        SELECT w, w + interval '5 minutes', method, currency, status, count, total, min, max
        FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::numeric[], $7::numeric[], $8::numeric[])
          AS b(w, method, currency, status, count, total, min, max)
        ORDER BY w, method COLLATE "C", currency COLLATE "C", status COLLATE "C"
        ON CONFLICT (window_start, payment_method, currency, payment_status) DO UPDATE SET
          total_count = m.total_count + excluded.total_count,
          total_amount = m.total_amount + excluded.total_amount,
          min_amount = least(m.min_amount, excluded.min_amount),
          max_amount = greatest(m.max_amount, excluded.max_amount),
          updated_at = now()
        """;

    public static async Task UpsertAsync(NpgsqlTransaction transaction, FigureAccumulator figures, CancellationToken cancellationToken)
    {
        var rows = figures.Rows().ToArray();
        await using var command = new NpgsqlCommand(UpsertSql, transaction.Connection, transaction);
        command.Parameters.Add(SqlArray.Times(rows, r => r.WindowStart));
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(rows, r => r.PaymentMethod) });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(rows, r => r.Currency) });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(rows, r => r.PaymentStatus) });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = Array.ConvertAll(rows, r => r.Count) });
        command.Parameters.Add(new NpgsqlParameter<decimal[]> { TypedValue = Array.ConvertAll(rows, r => MetricsWriter.ToDecimal(r.TotalScaled)) });
        command.Parameters.Add(new NpgsqlParameter<decimal[]> { TypedValue = Array.ConvertAll(rows, r => MetricsWriter.ToDecimal(r.MinScaled)) });
        command.Parameters.Add(new NpgsqlParameter<decimal[]> { TypedValue = Array.ConvertAll(rows, r => MetricsWriter.ToDecimal(r.MaxScaled)) });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
