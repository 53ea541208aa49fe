using Microsoft.Extensions.Options;

namespace PaymentPlatform.Query.Sql;

/// <summary>The workers: as many at once as statements may run. One that has nothing to do is kept for a while, since its start takes longer than many a statement.</summary>
internal sealed partial class SqlWorkers(IOptions<QueryOptions> options, ArchiveFileCache cache, TimeProvider timeProvider, ILogger<SqlWorkers> logger) : IDisposable
{
    private static readonly TimeSpan IdleTime = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _turns = new(options.Value.SqlConcurrent);
    private readonly Lock _lock = new();
    private readonly Stack<(SqlWorkerProcess Worker, ITimer Timer)> _idle = [];
    private bool _disposed;

    /// <summary>Waits for a turn.</summary>
    /// <exception cref="EngineBusyException">None within <see cref="QueryOptions.QueueTimeout"/>.</exception>
    public async Task<SqlTurn> EnterAsync(CancellationToken cancellationToken)
    {
        if (!await _turns.WaitAsync(options.Value.QueueTimeout, cancellationToken))
            throw new EngineBusyException(options.Value.QueueTimeout);
        try
        {
            return new(this, Take() ?? SqlWorkerProcess.Start(cache.Directory.Temp), options.Value, timeProvider);
        }
        catch (Exception exception)
        {
            _turns.Release();
            if (exception is not (System.ComponentModel.Win32Exception or IOException))
                throw;
            LogNotStarted(exception.Message);
            throw new SqlProblemException(503, "SQL not available", "The process that runs statements could not be started; the service's log says why.");
        }
    }

    public void Leave(SqlWorkerProcess worker, bool mayGoOn)
    {
        if (worker.Errors is { Length: > 0 } errors)
            LogErrors(errors);
        if (mayGoOn && !worker.HasEnded && worker.Memory < options.Value.SqlMemory)
            Keep(worker);
        else
            worker.Dispose();
        _turns.Release();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            while (_idle.TryPop(out var idle))
            {
                idle.Timer.Dispose();
                idle.Worker.Dispose();
            }
        }
    }

    private SqlWorkerProcess? Take()
    {
        lock (_lock)
        {
            while (_idle.TryPop(out var idle))
            {
                idle.Timer.Dispose();
                if (!idle.Worker.HasEnded)
                    return idle.Worker;
                idle.Worker.Dispose();
            }
        }

        return null;
    }

    private void Keep(SqlWorkerProcess worker)
    {
        lock (_lock)
        {
            if (_disposed)
                worker.Dispose();
            else
                _idle.Push((worker, timeProvider.CreateTimer(_ => Retire(worker), null, IdleTime, Timeout.InfiniteTimeSpan)));
        }
    }

    private void Retire(SqlWorkerProcess worker)
    {
        lock (_lock)
        {
            var others = _idle.Where(i => i.Worker != worker).Reverse().ToList();
            // It may have been taken just now.
            if (others.Count == _idle.Count)
                return;
            _idle.Clear();
            others.ForEach(_idle.Push);
            worker.Dispose();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A process that runs SQL wrote on standard error: {Errors}")]
    private partial void LogErrors(string errors);

    [LoggerMessage(Level = LogLevel.Error, Message = "No process to run SQL could be started: {Fault}")]
    private partial void LogNotStarted(string fault);
}
