using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace PaymentPlatform.Testing;

/// <summary>Keeps what was logged: of a whole host as its provider, or of a single class as its logger.</summary>
public sealed class LogCollector(LogLevel lowest = LogLevel.Debug) : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<LogLine> _lines = new();

    /// <summary>The oldest first.</summary>
    public IReadOnlyCollection<LogLine> Lines => _lines;

    public int Count(LogLevel level, string text) => _lines.Count(l => l.Level == level && l.Text.Contains(text, StringComparison.Ordinal));

    public bool Has(LogLevel level, string text) => Count(level, text) > 0;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= lowest;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Take("", logLevel, formatter(state, exception), exception);

    private void Take(string category, LogLevel level, string message, Exception? exception)
    {
        if (IsEnabled(level))
            _lines.Enqueue(new(level, category, exception is null ? message : $"{message} {exception}"));
    }

    private sealed class Logger(LogCollector collector, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => collector.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            collector.Take(category, logLevel, formatter(state, exception), exception);
    }
}
