using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>The table <c>reconciliation_runs</c>: the scheduled checks of all processes.</summary>
internal sealed class ReconciliationRuns(HybridConnectionManager connections)
{
    /// <summary>The last one, and how long ago it began by the database's clock; null when there was none.</summary>
    public Task<(TimeSpan Age, DateTime EndedAt, Dictionary<string, long> Findings)?> FindLastAsync(CancellationToken cancellationToken) => connections.ExecuteAsync<(TimeSpan, DateTime, Dictionary<string, long>)?>(
        async (connection, token) =>
        {
            await using var command = new NpgsqlCommand("SELECT clock_timestamp() - started_at, ended_at, findings::text FROM reconciliation_runs ORDER BY started_at DESC LIMIT 1", connection);
            await using var reader = await command.ExecuteReaderAsync(token);
            return await reader.ReadAsync(token) ? (reader.GetTimeSpan(0), reader.GetDateTime(1), JsonSerializer.Deserialize(reader.GetString(2), QueryJsonContext.Default.DictionaryStringInt64)!) : null;
        },
        cancellationToken);

    /// <summary>Keeps a check that has just ended; those of more than 90 days ago go.</summary>
    public Task AddAsync(ReconciliationReport report, CancellationToken cancellationToken) => connections.ExecuteAsync(
        async (connection, token) =>
        {
            const string sql = """
                WITH old AS (DELETE FROM reconciliation_runs WHERE started_at < clock_timestamp() - interval '90 days')
                INSERT INTO reconciliation_runs (started_at, ended_at, agrees, findings) SELECT clock_timestamp() - $1, clock_timestamp(), $2, $3
                """;
            await using var command = new NpgsqlCommand(sql, connection)
            {
                Parameters =
                {
                    new() { Value = TimeSpan.FromMilliseconds(report.ElapsedMs) }, new() { Value = report.Agrees },
                    new() { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = JsonSerializer.Serialize(new Dictionary<string, long>(report.FindingsByKind), QueryJsonContext.Default.DictionaryStringInt64) },
                },
            };
            await command.ExecuteNonQueryAsync(token);
        },
        cancellationToken);
}
