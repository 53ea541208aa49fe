using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Storage.Database.Rules;

/// <summary>The tables <c>rule_versions</c> and <c>rule_activations</c>. What is put in has been validated by the caller.</summary>
public static class RuleVersionStore
{
    private const string Columns = "version, yaml, created_at, created_by, note";

    public static async Task<RuleVersion?> FindLatestAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM rule_versions ORDER BY version DESC LIMIT 1", connection);
        return (await ReadAsync(command, cancellationToken)).SingleOrDefault();
    }

    public static async Task<RuleVersion?> FindAsync(NpgsqlConnection connection, long version, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM rule_versions WHERE version = $1", connection) { Parameters = { new() { Value = version } } };
        return (await ReadAsync(command, cancellationToken)).SingleOrDefault();
    }

    /// <summary>The newest first.</summary>
    public static async Task<List<RuleVersion>> ListAsync(NpgsqlConnection connection, long before, int limit, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM rule_versions WHERE version < $1 ORDER BY version DESC LIMIT $2", connection)
        {
            Parameters = { new() { Value = before }, new() { Value = limit } },
        };
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>Those after the given one, the oldest first, as they are read: the connection serves nothing else meanwhile.</summary>
    public static async IAsyncEnumerable<RuleVersion> ReadAfterAsync(NpgsqlConnection connection, long version, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM rule_versions WHERE version > $1 ORDER BY version", connection) { Parameters = { new() { Value = version } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            yield return Row(reader);
    }

    /// <summary>Takes rules in. The text that is the latest already makes no new version.</summary>
    /// <param name="onlyFirst">Only when there are no rules yet: what a process brings along must not displace what somebody put there.</param>
    /// <param name="mayFollow">Whether they may come after the versions that there are, to which none is added meanwhile; where not, nothing is taken in. It runs within a transaction and may use the connection.</param>
    /// <returns>The version that holds now, and whether it is new.</returns>
    public static async Task<(RuleVersion Version, bool IsNew)> AddAsync(
        NpgsqlConnection connection, string yaml, string createdBy, string? note, bool onlyFirst, CancellationToken cancellationToken,
        Func<CancellationToken, Task<bool>>? mayFollow = null)
    {
        await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
        await using (var turn = new NpgsqlCommand("SELECT pg_advisory_xact_lock(hashtextextended('rule_versions', 0))", connection, transaction))
            await turn.ExecuteNonQueryAsync(cancellationToken);
        if (await FindLatestAsync(connection, cancellationToken) is { } latest && (onlyFirst || latest.Yaml == yaml || (mayFollow is not null && !await mayFollow(cancellationToken))))
            return (latest, false);

        await using var insert = new NpgsqlCommand($"INSERT INTO rule_versions (yaml, sha256, created_by, note) VALUES ($1, $2, $3, $4) RETURNING {Columns}", connection, transaction)
        {
            Parameters = { new() { Value = yaml }, new() { Value = SHA256.HashData(Encoding.UTF8.GetBytes(yaml)) }, new() { Value = createdBy }, new() { Value = (object?)note ?? DBNull.Value } },
        };
        var added = (await ReadAsync(insert, cancellationToken)).Single();
        await transaction.CommitAsync(cancellationToken);
        return (added, true);
    }

    /// <summary>The activation that covers the offset: the last one at or before it; null when the partition has none yet.</summary>
    public static async Task<RuleActivation?> FindActivationAsync(NpgsqlConnection connection, StreamPartition partition, long offset, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT version, from_offset FROM rule_activations
            WHERE stream = $1 AND log_id = $2 AND partition_id = $3 AND from_offset <= $4
            ORDER BY from_offset DESC, version DESC LIMIT 1
            """,
            connection)
        {
            Parameters = { new() { Value = partition.Stream }, new() { Value = partition.LogId }, new() { Value = partition.PartitionId }, new() { Value = offset } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new(reader.GetInt64(0), partition, reader.GetInt64(1)) : null;
    }

    /// <summary>Every activation of the given versions, by version, stream, log and partition.</summary>
    public static async Task<List<RuleActivation>> ListActivationsAsync(NpgsqlConnection connection, IReadOnlyCollection<long> versions, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT version, stream, log_id, partition_id, from_offset FROM rule_activations WHERE version = ANY ($1)
            ORDER BY version, stream COLLATE "C", log_id COLLATE "C", partition_id
            """,
            connection)
        {
            Parameters = { new() { Value = versions.ToArray() } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var activations = new List<RuleActivation>();
        while (await reader.ReadAsync(cancellationToken))
            activations.Add(new(reader.GetInt64(0), new(reader.GetString(1), reader.GetString(2), reader.GetInt32(3)), reader.GetInt64(4)));
        return activations;
    }

    private static async Task<List<RuleVersion>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var versions = new List<RuleVersion>();
        while (await reader.ReadAsync(cancellationToken))
            versions.Add(Row(reader));
        return versions;
    }

    private static RuleVersion Row(NpgsqlDataReader reader) =>
        new(reader.GetInt64(0), reader.GetString(1), reader.GetDateTime(2), reader.IsDBNull(3) ? "" : reader.GetString(3), reader.IsDBNull(4) ? null : reader.GetString(4));
}
