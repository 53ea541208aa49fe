using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using PaymentPlatform.Metrics.Deltas;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Storage.Database.Checkpoints;

namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>The table <c>metric_rebuilds</c>: begins a rebuild, keeps its progress, ends it.</summary>
internal sealed class RebuildJobs(NpgsqlDataSource database, TimeProvider time)
{
    // Commits of all groups wait meanwhile, the archiver's too: for milliseconds at the beginning, and as long as the range's rows take at the end. So does everybody who commits while this waits for its turn.
    private const string StopCommits = "SET LOCAL lock_timeout = '10s'; LOCK TABLE stream_checkpoints IN EXCLUSIVE MODE";

    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(1), Whole = TimeSpan.FromMinutes(10), SwapIdle = TimeSpan.FromSeconds(10), BeforeSwap = TimeSpan.FromMinutes(1);

    /// <returns>The one that a process which ended left behind, else the oldest that waits for nothing; null when there is none.</returns>
    public async Task<NextRebuild?> FindNextAsync(CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT id, attempts, faults FROM metric_rebuilds WHERE state IN ('waiting', 'running') AND coalesce(retry_at <= clock_timestamp(), true) ORDER BY state = 'running' DESC, id LIMIT 1
            """;
        await using var command = database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new(reader.GetInt64(0), reader.GetInt32(1), reader.GetInt32(2)) : null;
    }

    /// <summary>
    /// Begins it. The cut: what the metrics service has committed by now is computed from the archive, what it commits from now on goes into the staging tables too.
    /// </summary>
    /// <returns>Null when it has ended meanwhile.</returns>
    public async Task<(RebuildJob Job, IReadOnlyDictionary<StreamPartition, long> Cut)?> BeginAsync(long id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
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
    public async Task WriteAsync(RebuildJob job, string phase, RebuildProgress progress, Func<NpgsqlTransaction, Task> write, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, Idle, Whole, cancellationToken);
        await UpdateAsync(transaction, job, "phase = $6", progress, cancellationToken, new NpgsqlParameter { Value = phase });
        await job.Staging.EnterAsync(transaction, cancellationToken);
        await write(transaction);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>One fold of what commits have put into the staging tables.</summary>
    /// <returns>How many rows are left.</returns>
    /// <exception cref="RebuildStoppedException"/>
    public async Task<long> FoldStagingAsync(RebuildJob job, string phase, RebuildProgress progress, CancellationToken cancellationToken)
    {
        long left = 0;
        await WriteAsync(
            job, phase, progress,
            async transaction =>
            {
                await DeltaFolder.FoldAsync(transaction, DeltaFolder.DefaultRows, cancellationToken);
                await using var count = new NpgsqlCommand("SELECT count(*) FROM metric_deltas", transaction.Connection, transaction);
                left = (long)(await count.ExecuteScalarAsync(cancellationToken))!;
            },
            cancellationToken);
        return left;
    }

    /// <summary>Swaps the range in: readers see the old figures or the new ones, and no event comes between.</summary>
    /// <param name="limit">How long it may keep commits waiting.</param>
    /// <returns>How long it did.</returns>
    /// <exception cref="RebuildStoppedException"/>
    /// <exception cref="RebuildRefusedException">It would have taken longer than <paramref name="limit"/>.</exception>
    public async Task<TimeSpan> FinishAsync(RebuildJob job, RebuildProgress progress, TimeSpan limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, SwapIdle, BeforeSwap + limit, cancellationToken);
        await RunAsync(transaction, $"SELECT pg_advisory_xact_lock({DeltaFolder.LockKey})", cancellationToken);
        await RunAsync(transaction, StopCommits, cancellationToken);
        var began = time.GetTimestamp();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            // The server's limit is for a process that is paused meanwhile.
            await RunAsync(transaction, string.Create(CultureInfo.InvariantCulture, $"SET LOCAL statement_timeout = {(long)limit.TotalMilliseconds}"), cancellationToken);
            end.CancelAfter(limit);
            await SwapAsync(transaction, job, progress, end.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } && !cancellationToken.IsCancellationRequested)
        {
            throw new RebuildRefusedException(
                string.Create(CultureInfo.InvariantCulture, $"To put the new rows in the place of the old ones would keep commits waiting for longer than Metrics:RebuildSwapTimeout ({limit.TotalSeconds:0.###} s). Ask for a shorter range, or raise the limit."), exception);
        }

        await transaction.CommitAsync(cancellationToken);
        return time.GetElapsedTime(began);
    }

    private static async Task SwapAsync(NpgsqlTransaction transaction, RebuildJob job, RebuildProgress progress, CancellationToken cancellationToken)
    {
        await UpdateAsync(transaction, job, "state = 'done', phase = NULL, error = NULL, ended_at = clock_timestamp()", progress, cancellationToken);
        await job.Staging.SwapAsync(transaction, cancellationToken);
    }

    /// <summary>Leaves the old figures. Nothing happens to one that has ended already, or that another process has begun anew.</summary>
    /// <param name="attempt">The last that was begun.</param>
    public Task FailAsync(long id, int attempt, string error, CancellationToken cancellationToken) =>
        EndAsync("state = 'failed', ended_at = clock_timestamp()", id, attempt, error, cancellationToken);

    /// <summary>It begins again after the delay, by the database's clock; <paramref name="error"/> can be read until it is done.</summary>
    /// <inheritdoc cref="FailAsync"/>
    public Task PostponeAsync(long id, int attempt, string error, TimeSpan delay, CancellationToken cancellationToken) =>
        EndAsync("state = 'waiting', faults = faults + 1, retry_at = clock_timestamp() + $4", id, attempt, error, cancellationToken, new NpgsqlParameter { Value = delay });

    /// <summary>Drops what rebuilds that ended half-way left. Commits that still write there are waited for.</summary>
    public async Task CleanAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BoundedTransaction.BeginAsync(connection, cancellationToken);
        await RunAsync(transaction, StopCommits, cancellationToken);
        await RebuildStaging.DropLeftoversAsync(transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task EndAsync(string set, long id, int attempt, string error, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = database.CreateCommand($"UPDATE metric_rebuilds SET {set}, phase = NULL, error = $3 WHERE id = $1 AND attempts = $2 AND state IN ('waiting', 'running')");
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = attempt });
        command.Parameters.Add(new() { Value = error });
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<RebuildJob?> ClaimAsync(NpgsqlTransaction transaction, long id, CancellationToken cancellationToken)
    {
        // Whole days: the widest window that is kept.
        const string sql = """
            UPDATE metric_rebuilds
            SET state = 'running', phase = 'waiting for the archive', attempts = attempts + 1, retry_at = NULL, started_at = coalesce(started_at, clock_timestamp()), events_read = 0, events_total = NULL, rule_failures = 0,
                range_from = date_trunc('day', range_from, 'UTC'),
                range_to = CASE WHEN range_to = date_trunc('day', range_to, 'UTC') THEN range_to ELSE date_trunc('day', range_to, 'UTC') + interval '24 hours' END
            WHERE id = $1 AND state IN ('waiting', 'running')
            RETURNING attempts, range_from, range_to
            """;
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction) { Parameters = { new() { Value = id } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new(id, reader.GetInt32(0), SqlArray.Micros(reader, 1), SqlArray.Micros(reader, 2)) : null;
    }

    private static async Task UpdateAsync(NpgsqlTransaction transaction, RebuildJob job, string set, RebuildProgress progress, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand($"UPDATE metric_rebuilds SET {set}, events_read = $3, events_total = $4, rule_failures = $5 WHERE id = $1 AND attempts = $2 AND state = 'running'", transaction.Connection, transaction)
        {
            Parameters =
            {
                new() { Value = job.Id }, new() { Value = job.Attempt }, new() { Value = progress.EventsRead },
                new() { NpgsqlDbType = NpgsqlDbType.Bigint, Value = (object?)progress.EventsTotal ?? DBNull.Value }, new() { Value = progress.RuleFailures },
            },
        };
        command.Parameters.AddRange(parameters);
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
            throw new RebuildStoppedException();
    }

    private static async Task RunAsync(NpgsqlTransaction transaction, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
