using System.Text;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Metrics.Deltas;
using PaymentPlatform.Metrics.Rebuild;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics;

/// <summary>Commits a batch: checkpoints, figures, the delta of what is folded later, hits and state of rules, and dead letters in one transaction.</summary>
internal sealed class MetricsWriter(NpgsqlDataSource database)
{
    public const string ConsumerGroup = "metrics";

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

        var rebuild = await RebuildStaging.FindRunningAsync(transaction, cancellationToken);
        await WriteDerivedAsync(transaction, batch, cancellationToken);
        if (batch.RuleStates.Count > 0)
            await RuleStateStore.WriteAsync(transaction, batch.RuleStates, cancellationToken);
        if (batch.RuleActivations.Count > 0)
            await RuleActivationStore.WriteAsync(transaction, batch.RuleActivations, cancellationToken);
        if (batch.Failed.Count > 0)
            await InsertAsync(connection, transaction, batch.Failed, cancellationToken);
        await batch.Taken.WriteAsync(transaction, ConsumerGroup, cancellationToken);
        // Last: the rest of the transaction means the rebuild's tables.
        if (rebuild is not null && batch.Figures.Touches(rebuild.From, rebuild.To))
        {
            await rebuild.EnterAsync(transaction, cancellationToken);
            await WriteDerivedAsync(transaction, batch, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return [];
    }

    /// <summary>Into the tables that the transaction's search path finds.</summary>
    private static async Task WriteDerivedAsync(NpgsqlTransaction transaction, GatheredBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Figures.KeyCount > 0)
            await FigureTables.UpsertAsync(transaction, batch.Figures, cancellationToken);
        if (!batch.Figures.Delta.IsEmpty)
            await DeltaTables.AppendAsync(transaction, batch.Figures.Delta, cancellationToken);
        if (batch.Rules.Output.Hits.Count > 0)
            await HitTable.InsertAsync(transaction, batch.Rules.Hits(), cancellationToken);
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
