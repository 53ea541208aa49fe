using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>The table <c>metric_rebuilds</c>: begins a rebuild, keeps its progress, ends it.</summary>
internal sealed class RebuildJobs(NpgsqlDataSource database)
{
    // Commits of all groups wait meanwhile: the archiver's too, for milliseconds at the beginning and as long as the range's rows take at the end.
    private const string StopCommits = "SET LOCAL lock_timeout = '10s'; LOCK TABLE stream_checkpoints IN EXCLUSIVE MODE";

    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(1), Whole = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Begins the oldest one that waits or was left behind by a process that ended. The cut: what the metrics service has committed by now is computed from the archive, what it commits from now on goes into the staging tables too.
    /// </summary>
    /// <returns>Null when there is none.</returns>
    public async Task<(RebuildJob Job, IReadOnlyDictionary<StreamPartition, long> Cut)?> BeginAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (await ScalarAsync(connection, "SELECT id FROM metric_rebuilds WHERE state IN ('waiting', 'running') ORDER BY id LIMIT 1", cancellationToken) is not long id)
            return null;
        await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
        await RunAsync(transaction, StopCommits, cancellationToken);
        var job = await ClaimAsync(transaction, id, cancellationToken);
        if (job is null)
            return null;
        await RebuildStaging.DropLeftoversAsync(transaction, cancellationToken);
        await job.Staging.CreateAsync(transaction, cancellationToken);
        var cut = await CheckpointStore.ReadAsync(connection, MetricsWriter.ConsumerGroup, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (job, cut);
    }

    /// <summary>The partitions below whose cut the archive does not hold everything yet. A log that is no more gets nothing archived any more.</summary>
    public async Task<IReadOnlyList<StreamPartition>> ListUnarchivedAsync(IReadOnlyDictionary<StreamPartition, long> cut, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await CheckpointStore.ListBehindAsync(connection, "archiver", cut, cancellationToken);
    }

    /// <summary>A transaction in the staging tables.</summary>
    /// <exception cref="RebuildStoppedException"/>
    public async Task WriteAsync(RebuildJob job, string phase, long eventsRead, long? eventsTotal, Func<NpgsqlTransaction, Task> write, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, Idle, Whole, cancellationToken);
        await UpdateAsync(transaction, job, "phase = $3, events_read = $4, events_total = $5", cancellationToken, new() { Value = phase }, new() { Value = eventsRead }, new() { NpgsqlDbType = NpgsqlDbType.Bigint, Value = (object?)eventsTotal ?? DBNull.Value });
        await job.Staging.EnterAsync(transaction, cancellationToken);
        await write(transaction);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Swaps the range in: readers see the old figures or the new ones, and no event comes between.</summary>
    /// <exception cref="RebuildStoppedException"/>
    public async Task FinishAsync(RebuildJob job, long eventsRead, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, Idle, Whole, cancellationToken);
        await RunAsync(transaction, $"SELECT pg_advisory_xact_lock({Deltas.DeltaFolder.LockKey}); {StopCommits}", cancellationToken);
        await UpdateAsync(transaction, job, "state = 'done', phase = NULL, events_read = $3, ended_at = clock_timestamp()", cancellationToken, new NpgsqlParameter { Value = eventsRead });
        await job.Staging.SwapAsync(transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Leaves the old figures. Nothing happens to one that has ended already.</summary>
    public async Task FailAsync(RebuildJob job, string error, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
        await using (var command = new NpgsqlCommand("UPDATE metric_rebuilds SET state = 'failed', phase = NULL, error = $3, ended_at = clock_timestamp() WHERE id = $1 AND attempts = $2 AND state = 'running'", connection, transaction))
        {
            command.Parameters.Add(new() { Value = job.Id });
            command.Parameters.Add(new() { Value = job.Attempt });
            command.Parameters.Add(new() { Value = error });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Drops what rebuilds that ended half-way left. Commits that still write there are waited for.</summary>
    public async Task CleanAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
        await RunAsync(transaction, StopCommits, cancellationToken);
        await RebuildStaging.DropLeftoversAsync(transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task<RebuildJob?> ClaimAsync(NpgsqlTransaction transaction, long id, CancellationToken cancellationToken)
    {
        // Whole days: the widest window that is kept.
        const string sql = """
            UPDATE metric_rebuilds
            SET state = 'running', phase = 'waiting for the archive', attempts = attempts + 1, started_at = coalesce(started_at, clock_timestamp()), events_read = 0, events_total = NULL,
                range_from = date_trunc('day', range_from, 'UTC'),
                range_to = CASE WHEN range_to = date_trunc('day', range_to, 'UTC') THEN range_to ELSE date_trunc('day', range_to, 'UTC') + interval '24 hours' END
            WHERE id = $1 AND state IN ('waiting', 'running')
            RETURNING attempts, range_from, range_to
            """;
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction) { Parameters = { new() { Value = id } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new(id, reader.GetInt32(0), SqlArray.Micros(reader, 1), SqlArray.Micros(reader, 2)) : null;
    }

    private static async Task UpdateAsync(NpgsqlTransaction transaction, RebuildJob job, string set, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand($"UPDATE metric_rebuilds SET {set} WHERE id = $1 AND attempts = $2 AND state = 'running'", transaction.Connection, transaction)
        {
            Parameters = { new() { Value = job.Id }, new() { Value = job.Attempt } },
        };
        command.Parameters.AddRange(parameters);
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
            throw new RebuildStoppedException();
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private static async Task RunAsync(NpgsqlTransaction transaction, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
