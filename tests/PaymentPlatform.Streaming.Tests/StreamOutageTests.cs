using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace PaymentPlatform.Streaming.Tests;

public sealed class StreamOutageTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _lines = [];
    private readonly StreamOutage _outage;

    public StreamOutageTests() => _outage = new(_time, new Lines(_lines));

    [Fact]
    public void Report_ManyParts_SaysItOnceAndAgainAfterHalfAMinute()
    {
        _outage.Report("Away at a:1.");
        _outage.Report("Away at a:1, says another.");
        _time.Advance(TimeSpan.FromSeconds(29));
        _outage.Report("Away at a:1.");
        Assert.Equal(["Warning Away at a:1. It is tried again until it answers"], _lines);

        _time.Advance(TimeSpan.FromSeconds(1));
        _outage.Report("Away at a:1.");
        Assert.Equal(2, _lines.Count);
    }

    [Fact]
    public void Over_AfterAReport_IsSaidOnce()
    {
        _outage.Over();
        _outage.Report("Away.");
        _outage.Over();
        _outage.Over();

        Assert.Equal(["Warning Away. It is tried again until it answers", "Information The stream answers again"], _lines);
    }

    [Fact]
    public void Report_ComesAndGoes_IsNotSaidMoreOften()
    {
        for (var i = 0; i < 10; i++)
        {
            _outage.Report("Away.");
            _outage.Over();
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(2, _lines.Count);
    }

    private sealed class Lines(List<string> lines) : ILogger<StreamOutage>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel > LogLevel.Debug;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                lines.Add($"{logLevel} {formatter(state, exception)}");
        }
    }
}
