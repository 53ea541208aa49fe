using Microsoft.Extensions.Logging;

namespace PaymentPlatform.Faults.Instances;

/// <summary>Keeps what an instance logs, for a run that fails.</summary>
internal sealed class LogKeeper(string name, RunPlace place) : ILoggerProvider
{
    /// <summary>Npgsql logs every command as information, and the framework each request; only what fails there is of interest.</summary>
    public ILogger CreateLogger(string categoryName)
    {
        var isOurs = !categoryName.StartsWith("Npgsql", StringComparison.Ordinal) && !categoryName.StartsWith("Microsoft", StringComparison.Ordinal);
        return new Logger(name, place.Log, categoryName[(categoryName.LastIndexOf('.') + 1)..], isOurs ? LogLevel.Information : LogLevel.Error);
    }

    public void Dispose()
    {
    }

    private sealed class Logger(string name, RunLog log, string category, LogLevel least) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                log.Add(name, $"{logLevel} {category}: {formatter(state, exception)}{(exception is null ? "" : $" {exception}")}");
        }
    }
}
