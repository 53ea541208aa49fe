using Npgsql;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>Writes <c>dynamic_metrics</c>.</summary>
internal static class HitTable
{
    private const int MaxIdLength = 512;
    private const decimal Largest = 999_999_999_999_999.9999m;

    // As with dead letters: no COPY, as none of the server's timeouts ends one, and a paused process would keep its locks.
    private const string InsertSql = """
        INSERT INTO dynamic_metrics (event_time, rule_name, stream, log_id, partition_id, stream_offset, rule_version, metric_type, transaction_id, correlation_id, metric_value, metric_data)
        SELECT event_time, rule_name, stream, log_id, partition_id, stream_offset, rule_version, metric_type, transaction_id, correlation_id, metric_value, metric_data::jsonb
        FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::numeric[], $12::text[])
          AS h(event_time, rule_name, stream, log_id, partition_id, stream_offset, rule_version, metric_type, transaction_id, correlation_id, metric_value, metric_data)
        """;

    public static async Task InsertAsync(NpgsqlTransaction transaction, IEnumerable<PositionedHit> hits, CancellationToken cancellationToken)
    {
        var rows = hits.ToArray();
        await using var command = new NpgsqlCommand(InsertSql, transaction.Connection, transaction);
        command.Parameters.Add(SqlArray.Times(rows, r => r.Hit.EventMicros));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Hit.Rule.Name));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Partition.Stream));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Partition.LogId));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Partition.PartitionId));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Hit.Offset));
        command.Parameters.Add(SqlArray.Of(rows, r => RuleNames.Version(r.Hit.Rule.Version)));
        command.Parameters.Add(SqlArray.Of(rows, r => RuleNames.Type(r.Hit.Rule.MetricType)));
        command.Parameters.Add(SqlArray.Of(rows, r => DatabaseText.Clean(r.Hit.TransactionId, MaxIdLength)));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Hit.CorrelationId is { } id ? DatabaseText.Clean(id, MaxIdLength) : null));
        command.Parameters.Add(SqlArray.Of(rows, r => Math.Clamp(decimal.Round(r.Hit.Value, 4), -Largest, Largest)));
        command.Parameters.Add(SqlArray.Of(rows, r => r.Hit.Data));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
