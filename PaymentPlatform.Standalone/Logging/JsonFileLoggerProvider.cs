using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace PaymentPlatform.Standalone.Logging;

/// <summary>The JSON lines that a service writes to its console elsewhere, in a file.</summary>
internal sealed class JsonFileLoggerProvider(IEnumerable<ConsoleFormatter> formatters, RollingFileLog log) : ILoggerProvider, ISupportExternalScope
{
    private readonly ConsoleFormatter _formatter = formatters.First(f => f.Name == ConsoleFormatterNames.Json);
    private readonly RollingFileLog _log = log;
    private IExternalScopeProvider? _scopes;

    public ILogger CreateLogger(string categoryName) => new JsonFileLogger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    /// <summary>The log is the run's, and outlives the host.</summary>
    public void Dispose()
    {
    }

    private sealed class JsonFileLogger(JsonFileLoggerProvider provider, string category) : ILogger
    {
        [ThreadStatic]
        private static StringWriter? s_writer;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => provider._scopes?.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var writer = s_writer ??= new StringWriter();
            provider._formatter.Write(new LogEntry<TState>(logLevel, category, eventId, state, exception, formatter), provider._scopes, writer);
            var text = writer.GetStringBuilder();
            if (text.Length > 0)
                provider._log.Write(text.ToString().TrimEnd());
            text.Clear();
        }
    }
}
