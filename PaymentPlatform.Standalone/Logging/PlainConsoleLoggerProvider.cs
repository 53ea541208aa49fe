using System.Collections.Concurrent;

namespace PaymentPlatform.Standalone.Logging;

/// <summary>Warnings and errors for the person at the keyboard: one plain line on stderr, and one that repeats only every so often.</summary>
internal sealed class PlainConsoleLoggerProvider(TimeProvider timeProvider, TextWriter output) : ILoggerProvider
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(string Category, EventId Event), Repetition> _said = new();

    public ILogger CreateLogger(string categoryName) => new PlainConsoleLogger(this, categoryName);

    public void Dispose()
    {
    }

    private void Say(LogLevel level, string category, EventId eventId, string message, Exception? exception)
    {
        var repetition = _said.GetOrAdd((category, eventId), _ => new());
        int swallowed;
        lock (repetition)
        {
            if (repetition.Last is { } last && timeProvider.GetElapsedTime(last) < Pause)
            {
                repetition.Swallowed++;
                return;
            }

            swallowed = repetition.Swallowed;
            repetition.Swallowed = 0;
            repetition.Last = timeProvider.GetTimestamp();
        }

        var more = swallowed > 0 ? $" ({swallowed} more like it)" : "";
        var cause = exception is null || message.Contains(exception.Message) ? "" : $": {OneLine.Of(exception.Message)}";
        output.WriteLine($"{(level == LogLevel.Warning ? "warning" : "error")}: {category[(category.LastIndexOf('.') + 1)..]}: {OneLine.Of(message)}{cause}{more}");
    }

    private sealed class Repetition
    {
        public long? Last { get; set; }

        public int Swallowed { get; set; }
    }

    private sealed class PlainConsoleLogger(PlainConsoleLoggerProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Warning and < LogLevel.None;

        // The run ends with that line anyway.
        private bool IsStartFault(EventId eventId) => eventId.Name == "HostedServiceStartupFaulted" && category == "Microsoft.Extensions.Hosting.Internal.Host";

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && !IsStartFault(eventId))
                provider.Say(logLevel, category, eventId, formatter(state, exception), exception);
        }
    }
}
