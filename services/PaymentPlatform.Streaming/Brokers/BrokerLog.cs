using Npgsql;
using NpgsqlTypes;

namespace PaymentPlatform.Streaming.Brokers;

/// <summary>The mirror in the database of a broker's log, from which leases, lag and scale rules are made (tables <c>stream_logs</c>, <c>stream_partitions</c>, view <c>stream_lag</c>).</summary>
public sealed class BrokerLog(NpgsqlDataSource database, string stream, string transport)
{
    private const string OtherTransport = "PP004";

    private volatile string? _seen;

    /// <summary>
    /// Notes what the broker says. Another log id than the last one is a recreated log: what a group had not read of the old one is recorded as a gap.
    /// Where another process has noted yet another log since this one looked last, nothing is noted: ask the broker again.
    /// </summary>
    /// <param name="partitionCount">Of the whole log.</param>
    /// <param name="partitions">Those that were looked at; any order.</param>
    /// <exception cref="StreamUnavailableException">The stream's name belongs to another transport in this database.</exception>
    /// <exception cref="NpgsqlException">The database can't be reached.</exception>
    public async Task ObserveAsync(string logId, int partitionCount, IReadOnlyCollection<ObservedPartition> partitions, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT stream_observe($1, $2, $3, $4, $5, $6, $7, $8)");
        command.Parameters.Add(new() { Value = stream });
        command.Parameters.Add(new() { Value = transport });
        command.Parameters.Add(new() { Value = _seen ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = logId });
        command.Parameters.Add(new() { Value = partitionCount });
        command.Parameters.Add(new() { Value = partitions.Select(p => p.PartitionId).ToArray() });
        command.Parameters.Add(new() { Value = partitions.Select(p => p.FirstOffset).ToArray() });
        command.Parameters.Add(new() { Value = partitions.Select(p => p.NextOffset).ToArray() });
        try
        {
            _seen = (string?)await command.ExecuteScalarAsync(cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == OtherTransport)
        {
            throw new StreamUnavailableException($"{e.MessageText} Choose another name (Streaming:Stream) or another database for the transport {transport}.", e);
        }
    }

    /// <summary>For transports whose broker shares out the partitions: says which ones an owner has, for people and for the pipeline's figures.</summary>
    /// <param name="owner">The consumer's name.</param>
    /// <param name="partitions">All that it owns in the group; none when it leaves.</param>
    /// <param name="duration">How long that is believed without being said again.</param>
    /// <exception cref="NpgsqlException">The database can't be reached.</exception>
    public async Task OwnAsync(string consumerGroup, string owner, IReadOnlyCollection<int> partitions, TimeSpan duration, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT stream_own($1, $2, $3, $4, $5)");
        command.Parameters.Add(new() { Value = consumerGroup });
        command.Parameters.Add(new() { Value = stream });
        command.Parameters.Add(new() { Value = owner });
        command.Parameters.Add(new() { Value = partitions.ToArray() });
        command.Parameters.Add(new() { Value = duration });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
