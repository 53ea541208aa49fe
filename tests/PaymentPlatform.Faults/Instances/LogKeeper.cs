using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace PaymentPlatform.Faults.Instances;

/// <summary>Keeps what an instance logs, for a run that fails.</summary>
internal sealed class LogKeeper(string name, RunPlace place) : ILoggerProvider
{
    /// <summary>Npgsql logs every command as information.</summary>
    public ILogger CreateLogger(string categoryName) =>
        categoryName.StartsWith("Npgsql", StringComparison.Ordinal) || categoryName.StartsWith("Microsoft", StringComparison.Ordinal) ? NullLogger.Instance : new Logger(name, place.Log, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    public void Dispose()
    {
    }

    private sealed class Logger(string name, RunLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Add(name, $"{logLevel} {category}: {formatter(state, exception)}{(exception is null ? "" : $" {exception}")}");
    }
}
