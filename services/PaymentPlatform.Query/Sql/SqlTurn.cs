namespace PaymentPlatform.Query.Sql;

/// <summary>A statement's use of a worker. Time and memory are watched while the worker has a command; beyond a limit, or when the caller goes away, the process is ended.</summary>
internal sealed class SqlTurn(SqlWorkers workers, SqlWorkerProcess worker, QueryOptions options, TimeProvider timeProvider) : IDisposable
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Beside what DuckDB counts: the process itself, and values on their way through an expression.</summary>
    private const long MemoryBeside = 192L << 20;

    private SqlProblemException? _stopped;
    private TimeSpan _used;
    private bool _mayGoOn = true;

    /// <summary>Sends the command and hands each frame on until one is answered with false.</summary>
    /// <exception cref="SqlProblemException">The process was ended, or ended by itself.</exception>
    public async Task RunAsync(SqlCommand command, Func<SqlFrame, bool> frame, CancellationToken cancellationToken)
    {
        var started = timeProvider.GetTimestamp();
        using var done = new CancellationTokenSource();
        var watch = WatchAsync(options.SqlTimeout - _used, done.Token);
        try
        {
            await using var abort = cancellationToken.UnsafeRegister(static worker => ((SqlWorkerProcess)worker!).Kill(), worker);
            await worker.SendAsync(command);
            while (frame(await worker.ReadAsync()))
            {
            }
        }
        catch (Exception exception)
        {
            _mayGoOn = false;
            cancellationToken.ThrowIfCancellationRequested();
            if (exception is not (IOException or ObjectDisposedException))
                throw;
            throw _stopped ?? new SqlProblemException(422, "Query stopped", "The process that ran the statement ended: it is nested too deeply, or needs more than there is. Ask in smaller parts.");
        }
        finally
        {
            await done.CancelAsync();
            await watch;
            _used += timeProvider.GetElapsedTime(started);
        }
    }

    public void Dispose() => workers.Leave(worker, _mayGoOn);

    private async Task WatchAsync(TimeSpan limit, CancellationToken done)
    {
        var started = timeProvider.GetTimestamp();
        while (!done.IsCancellationRequested)
        {
            if (timeProvider.GetElapsedTime(started) >= limit)
                _stopped = new(504, "Query took too long", $"The statement was stopped after {QueryOptions.Section}:{nameof(QueryOptions.SqlTimeout)} ({options.SqlTimeout.TotalSeconds:0.###} s). Ask for a shorter range, or for less of it.");
            else if (worker.Memory > (2 * options.SqlMemory) + MemoryBeside)
                _stopped = SqlProblemException.TooLarge();
            if (_stopped is not null)
            {
                worker.Kill();
                return;
            }

            await Task.Delay(WatchInterval, timeProvider, done).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
