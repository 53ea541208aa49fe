using System.Data;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>What the metrics service has committed up to its checkpoints, all in one snapshot: exactly the events below the cut.</summary>
/// <param name="Cut">The next offset of the group metrics by partition.</param>
/// <param name="FirstDay">Figures of before it are dropped: microseconds since the Unix epoch, or the least value.</param>
/// <param name="Failed">Offsets of dead letters by partition, sorted.</param>
internal sealed record LiveFigures(
    IReadOnlyDictionary<StreamPartition, long> Cut, long FirstDay, Dictionary<FigureKey, FigureValues> Figures, Dictionary<StreamPartition, List<long>> Failed)
{
    public static Task<LiveFigures> ReadAsync(HybridConnectionManager connections, long from, long to, CancellationToken cancellationToken) =>
        connections.ExecuteAsync((connection, token) => ReadAsync(connection, from, to, token), cancellationToken);

    private static async Task<LiveFigures> ReadAsync(NpgsqlConnection connection, long from, long to, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var cut = await CheckpointStore.ReadAsync(connection, "metrics", cancellationToken);
        var firstDay = long.MinValue;
        await using (var command = new NpgsqlCommand("SELECT first_day::timestamp AT TIME ZONE 'UTC' FROM metric_retention WHERE table_name = 'payment_metrics_5m'", connection))
        {
            if (await command.ExecuteScalarAsync(cancellationToken) is DateTime day)
                firstDay = Timestamps.ToMicros(day);
        }

        var figures = new Dictionary<FigureKey, FigureValues>();
        await using (var command = Ranged("SELECT window_start, payment_method, currency, payment_status, total_count, total_amount, min_amount, max_amount FROM payment_metrics_5m WHERE window_start >= $1 AND window_start < $2", connection, from, to))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                figures.Add(
                    new(Timestamps.ToMicros(reader.GetDateTime(0)), reader.GetString(1), reader.GetString(2), reader.GetString(3)),
                    new(reader.GetInt64(4), reader.GetDecimal(5), reader.GetDecimal(6), reader.GetDecimal(7)));
            }
        }

        var failed = new Dictionary<StreamPartition, List<long>>();
        await using (var command = Ranged("SELECT stream, log_id, partition_id, stream_offset FROM failed_items WHERE enqueued_at >= $1 AND enqueued_at < $2", connection, from, to))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                var partition = new StreamPartition(reader.GetString(0), reader.GetString(1), reader.GetInt32(2));
                if (!failed.TryGetValue(partition, out var offsets))
                    failed.Add(partition, offsets = []);
                offsets.Add(reader.GetInt64(3));
            }
        }

        foreach (var offsets in failed.Values)
            offsets.Sort();
        return new(cut, firstDay, figures, failed);
    }

    private static NpgsqlCommand Ranged(string sql, NpgsqlConnection connection, long from, long to) => new(sql, connection)
    {
        CommandTimeout = 600,
        Parameters = { new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = Timestamps.ToDateTime(from) }, new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = Timestamps.ToDateTime(to) } },
    };
}
