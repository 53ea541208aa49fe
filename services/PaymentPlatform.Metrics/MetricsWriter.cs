using System.Text;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Metrics.Deltas;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics;

/// <summary>Commits a batch: checkpoints, figures, the delta of what is folded later, and dead letters in one transaction.</summary>
internal sealed class MetricsWriter(NpgsqlDataSource database)
{
    public const string ConsumerGroup = "metrics";

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

    // A conflict is impossible while the checkpoints stand. Were they set back by hand, this would fail loudly, as it should: the figures would count twice.
    // No COPY: while one waits for its data, none of the server's timeouts ends it, and a paused process would keep the locks.
    private const string InsertSql = """
        INSERT INTO failed_items (stream, log_id, partition_id, stream_offset, message_id, transaction_id, correlation_id, error_type, error_message, errors, raw_payload, enqueued_at)
        SELECT stream, log_id, partition_id, stream_offset, message_id, transaction_id, correlation_id, error_type, error_message, errors::jsonb, raw_payload, enqueued_at
        FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[], $12::timestamptz[])
          AS f(stream, log_id, partition_id, stream_offset, message_id, transaction_id, correlation_id, error_type, error_message, errors, raw_payload, enqueued_at)
        """;

    /// <returns>Empty when the batch took effect; otherwise nothing did, and these are the partitions that another owner has moved on.</returns>
    /// <exception cref="NpgsqlException">The database failed. Whether the batch took effect, the checkpoints tell.</exception>
    public async Task<IReadOnlyList<StreamPartition>> CommitAsync(GatheredBatch batch, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
        var stale = await CheckpointStore.AdvanceAsync(transaction, ConsumerGroup, batch.Ranges, cancellationToken);
        if (stale.Count > 0)
        {
            await transaction.RollbackAsync(cancellationToken);
            return stale;
        }

        if (batch.Figures.KeyCount > 0)
            await UpsertAsync(connection, transaction, batch.Figures, cancellationToken);
        if (!batch.Figures.Delta.IsEmpty)
            await DeltaTables.AppendAsync(transaction, batch.Figures.Delta, cancellationToken);
        if (batch.Failed.Count > 0)
            await InsertAsync(connection, transaction, batch.Failed, cancellationToken);
        await batch.Taken.WriteAsync(transaction, ConsumerGroup, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return [];
    }

    private static async Task UpsertAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, FigureAccumulator figures, CancellationToken cancellationToken)
    {
        var rows = figures.Rows().ToArray();
        await using var command = new NpgsqlCommand(UpsertSql, connection, transaction);
        command.Parameters.Add(SqlArray.Times(rows, r => r.WindowStart));
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(rows, r => r.PaymentMethod) });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(rows, r => r.Currency) });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(rows, r => r.PaymentStatus) });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = Array.ConvertAll(rows, r => r.Count) });
        command.Parameters.Add(new NpgsqlParameter<decimal[]> { TypedValue = Array.ConvertAll(rows, r => ToDecimal(r.TotalScaled)) });
        command.Parameters.Add(new NpgsqlParameter<decimal[]> { TypedValue = Array.ConvertAll(rows, r => ToDecimal(r.MinScaled)) });
        command.Parameters.Add(new NpgsqlParameter<decimal[]> { TypedValue = Array.ConvertAll(rows, r => ToDecimal(r.MaxScaled)) });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task InsertAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, List<FailedItem> failed, CancellationToken cancellationToken)
    {
        var items = failed.ToArray();
        await using var command = new NpgsqlCommand(InsertSql, connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(items, i => i.Partition.Stream) });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(items, i => i.Partition.LogId) });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = Array.ConvertAll(items, i => i.Partition.PartitionId) });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = Array.ConvertAll(items, i => i.Offset) });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(items, i => i.MessageId) });
        command.Parameters.Add(new NpgsqlParameter<string?[]> { TypedValue = Array.ConvertAll(items, i => i.TransactionId) });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(items, i => i.CorrelationId) });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(items, i => i.ErrorType) });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(items, i => i.ErrorMessage) });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(items, i => Encoding.UTF8.GetString(i.Errors)) });
        command.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = Array.ConvertAll(items, i => i.RawPayload), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        command.Parameters.Add(SqlArray.Times(items, i => i.EnqueuedAtMicros));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Exact: decimal holds 96 bits, enough for the sum of billions of decimal(19,4).</summary>
    internal static decimal ToDecimal(Int128 scaled)
    {
        var bits = (UInt128)Int128.Abs(scaled);
        return bits >> 96 == 0
            ? new((int)(uint)bits, (int)(uint)(bits >> 32), (int)(uint)(bits >> 64), scaled < 0, 4)
            : throw new OverflowException($"The scaled amount {scaled} exceeds 96 bits.");
    }
}
