using System.Text;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Query.Replay;

/// <summary>The tables <c>replays</c> and <c>replay_spans</c>, as the process that works on a replay needs them.</summary>
internal sealed class ReplayJobs(HybridConnectionManager connections)
{
    private const string Columns = "id, attempts, faults, range_from, range_to, filter, target, rate, chunk_events, arrived_before, position, on_oversized";

    /// <summary>Takes the oldest one that is due, or that its process has left behind.</summary>
    /// <param name="lease">How long it stays with this process without a sign of life.</param>
    /// <returns>Null when there is none.</returns>
    public async Task<ReplayJob?> BeginAsync(TimeSpan lease, CancellationToken cancellationToken)
    {
        const string sql = $"""
            UPDATE replays SET state = 'running', attempts = attempts + 1, faults = faults + CASE WHEN state = 'running' THEN 1 ELSE 0 END,
                   lease_until = clock_timestamp() + $1, renewed_at = clock_timestamp(), not_before = NULL, started_at = coalesce(started_at, clock_timestamp()), events_per_second = NULL
            WHERE id = (
              SELECT id FROM replays
              WHERE (state = 'waiting' AND coalesce(not_before <= clock_timestamp(), true)) OR (state = 'running' AND lease_until <= clock_timestamp())
              ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING {Columns}
            """;
        await using var connection = await connections.Database.OpenConnectionAsync(cancellationToken);
        ReplayJob job;
        await using (var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = lease } } })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
                return null;
            job = Read(reader);
        }

        return job with { Archived = await ReadSpansAsync(connection, job.Id, cancellationToken) };
    }

    /// <summary>Notes the progress, and that this process is alive.</summary>
    /// <returns>False when the replay is not this attempt's any more.</returns>
    public async Task<bool> SaveAsync(ReplayJob job, ReplayProgress progress, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var command = Update(
            job, progress, "running", "lease_until = clock_timestamp() + $7, renewed_at = clock_timestamp(), faults = CASE WHEN $8 THEN 0 ELSE faults END, error = CASE WHEN $8 THEN NULL ELSE error END");
        command.Parameters.Add(new() { Value = lease });
        command.Parameters.Add(new() { Value = job.IsBefore(progress.Position) });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Gives it back, or ends it.</summary>
    /// <param name="state"><c>waiting</c>, <c>done</c> or <c>failed</c>.</param>
    /// <param name="pause">How long a waiting one is left alone.</param>
    /// <returns>False when the replay is not this attempt's any more.</returns>
    public async Task<bool> LeaveAsync(ReplayJob job, ReplayProgress progress, string state, string? error, int faults, TimeSpan pause)
    {
        await using var command = Update(
            job, progress, "running", "state = $7, error = $8, faults = $9, not_before = clock_timestamp() + $10, lease_until = NULL, ended_at = CASE WHEN $7 <> 'waiting' THEN clock_timestamp() END");
        command.Parameters.Add(new() { Value = state });
        command.Parameters.Add(new() { Value = (object?)error ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = faults });
        command.Parameters.Add(new() { Value = pause });
        return await command.ExecuteNonQueryAsync() == 1;
    }

    /// <summary>What a replay that was stopped had done by now, its end.</summary>
    public async Task KeepCountsAsync(ReplayJob job, ReplayProgress progress)
    {
        await using var command = Update(job, progress, "stopped", "lease_until = NULL, ended_at = clock_timestamp()");
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Replays that may have taken events of a transaction: their range holds one of the times, and their filter names no other transaction. The latest first.</summary>
    public static async Task<List<ReplayJob>> FindAsync(NpgsqlConnection connection, string transactionId, DateTime[] times, int limit, CancellationToken cancellationToken)
    {
        var jobs = new List<ReplayJob>();
        await using (var command = new NpgsqlCommand(
            $"""
            SELECT {Columns} FROM replays
            WHERE coalesce(filter ->> 'transaction_id' = $1, true) AND EXISTS (SELECT FROM unnest($2) AS t (time) WHERE t.time >= range_from AND t.time < range_to) ORDER BY id DESC LIMIT $3
            """, connection))
        {
            command.Parameters.Add(new() { Value = transactionId });
            command.Parameters.Add(new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz, Value = times });
            command.Parameters.Add(new() { Value = limit });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                jobs.Add(Read(reader));
        }

        for (var i = 0; i < jobs.Count; i++)
            jobs[i] = jobs[i] with { Archived = await ReadSpansAsync(connection, jobs[i].Id, cancellationToken) };
        return jobs;
    }

    /// <summary>A row of <see cref="Columns"/>, without its spans.</summary>
    private static ReplayJob Read(NpgsqlDataReader reader)
    {
        return new(
            reader.GetGuid(0), reader.GetInt32(1), reader.GetInt32(2), Micros(3), Micros(4), JsonElement.Parse(reader.GetString(5)), reader.GetString(6), reader.IsDBNull(7) ? null : reader.GetDouble(7), reader.GetInt32(8), Micros(9),
            reader.IsDBNull(10) ? ReplayPosition.Start : ReplayPosition.Parse(Encoding.UTF8.GetBytes(reader.GetString(10))), reader.GetString(11) == "skip",
            new Dictionary<StreamPartition, long>());

        long Micros(int ordinal) => Timestamps.ToMicros(reader.GetDateTime(ordinal));
    }

    private NpgsqlCommand Update(ReplayJob job, ReplayProgress progress, string state, string set)
    {
        var command = connections.Database.CreateCommand(
            $"UPDATE replays SET position = $3, events_done = $4, events_total = coalesce($5, events_total), events_per_second = coalesce($6, events_per_second), {set} WHERE id = $1 AND attempts = $2 AND state = '{state}'");
        command.Parameters.Add(new() { Value = job.Id });
        command.Parameters.Add(new() { Value = job.Attempt });
        command.Parameters.Add(new() { Value = Encoding.UTF8.GetString(progress.Position.ToBytes()), NpgsqlDbType = NpgsqlDbType.Jsonb });
        command.Parameters.Add(new() { Value = progress.Position.EventsDone });
        command.Parameters.Add(new() { Value = (object?)progress.EventsTotal ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new() { Value = (object?)progress.EventsPerSecond ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Double });
        return command;
    }

    private static async Task<Dictionary<StreamPartition, long>> ReadSpansAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT stream, log_id, partition_id, next_offset FROM replay_spans WHERE replay_id = $1", connection) { Parameters = { new() { Value = id } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var spans = new Dictionary<StreamPartition, long>();
        while (await reader.ReadAsync(cancellationToken))
            spans.Add(new(reader.GetString(0), reader.GetString(1), reader.GetInt32(2)), reader.GetInt64(3));
        return spans;
    }
}
