using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using PaymentPlatform.Standalone.Logging;

namespace PaymentPlatform.Standalone.Tests;

public sealed class LoggingTests
{
    [Fact]
    public async Task Write_PastTheLimit_RollsAndKeepsTheNewest()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Sub("logs", "platform.log");
        for (var run = 0; run < 6; run++)
        {
            await using var log = new RollingFileLog(file, limitBytes: 100, kept: 2);
            log.Write($"{run}:{new string('x', 90)}");
        }

        Assert.Equal(["platform.log", "platform.log.1", "platform.log.2"], Directory.GetFiles(directory.Sub("logs")).Select(f => Path.GetFileName(f)).Order());
        Assert.StartsWith("5:", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        Assert.StartsWith("3:", await File.ReadAllTextAsync(file + ".2", TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Log_SameWarningAgainAndAgain_IsSaidOnceInAWhile()
    {
        var time = new FakeTimeProvider();
        var output = new StringWriter();
        using var provider = new PlainConsoleLoggerProvider(time, output);
        var logger = provider.CreateLogger("PaymentPlatform.Storage.HybridConnectionManager");

        for (var i = 0; i < 5; i++)
            logger.LogWarning(new EventId(1), "line one\nline two");
        logger.LogInformation(new EventId(2), "not for the console");
        time.Advance(TimeSpan.FromSeconds(11));
        logger.LogWarning(new EventId(1), "line one\nline two");

        Assert.Equal(
            ["warning: HybridConnectionManager: line one line two", "warning: HybridConnectionManager: line one line two (4 more like it)"],
            output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }
}
