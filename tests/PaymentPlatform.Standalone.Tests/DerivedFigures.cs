using Npgsql;

namespace PaymentPlatform.Standalone.Tests;

/// <summary>Everything that is derived from events, row by row and byte by byte.</summary>
public static class DerivedFigures
{
    private const string Sql = """
        SELECT concat_ws('|', 'figure', extract(epoch FROM window_start), payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount, avg_amount, unique_customers, unique_merchants,
          encode(customers_sketch, 'hex'), encode(merchants_sketch, 'hex'), countries) FROM payment_metrics_5m
        UNION ALL SELECT concat_ws('|', 'histogram', extract(epoch FROM time_window_start), extract(epoch FROM time_window_end), metric_type, event_type, event_count, encode(sketch, 'hex')) FROM aggregate_histograms
        UNION ALL SELECT concat_ws('|', 'hit', extract(epoch FROM event_time), rule_name, rule_version, metric_type, stream, log_id, partition_id, stream_offset, transaction_id, correlation_id, metric_value, metric_data) FROM dynamic_metrics
        UNION ALL SELECT concat_ws('|', 'bucket', extract(epoch FROM window_start), extract(epoch FROM window_end), rule_name, rule_version, group_key, metric_type, event_count, matched, total, min_value, max_value) FROM rule_buckets
        UNION ALL SELECT concat_ws('|', 'sample', extract(epoch FROM window_start), encode(payload, 'hex')) FROM cluster_samples
        """;

    public static async Task<List<string>> ReadAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(reader.GetString(0));
        rows.Sort(StringComparer.Ordinal);
        return rows;
    }
}
