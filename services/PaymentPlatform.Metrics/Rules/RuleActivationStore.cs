using Npgsql;
using PaymentPlatform.Storage.Database.Rules;

namespace PaymentPlatform.Metrics.Rules;

/// <summary>Writes <c>rule_activations</c>.</summary>
internal static class RuleActivationStore
{
    /// <summary>In the transaction of the first events that the version saw.</summary>
    public static async Task WriteAsync(NpgsqlTransaction transaction, IReadOnlyList<RuleActivation> activations, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO rule_activations (stream, log_id, partition_id, from_offset, version)
            SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[])
            """;
        RuleActivation[] rows = [.. activations];
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction);
        command.Parameters.Add(SqlArray.Of(rows, a => a.Partition.Stream));
        command.Parameters.Add(SqlArray.Of(rows, a => a.Partition.LogId));
        command.Parameters.Add(SqlArray.Of(rows, a => a.Partition.PartitionId));
        command.Parameters.Add(SqlArray.Of(rows, a => a.FromOffset));
        command.Parameters.Add(SqlArray.Of(rows, a => a.Version));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
