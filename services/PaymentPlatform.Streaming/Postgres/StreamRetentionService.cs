using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PaymentPlatform.Storage;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Runs <see cref="StreamRetention"/> every minute, or more often where retention is shorter than that.</summary>
internal sealed partial class StreamRetentionService(
    StreamRetention retention, IOptions<StreamingOptions> options, TimeProvider timeProvider, ILogger<StreamRetentionService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var period = TimeSpan.FromSeconds(Math.Clamp(options.Value.Retention.TotalSeconds / 4, 1, 60));
        using var timer = new PeriodicTimer(period, timeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var (batches, claims) = await retention.RunOnceAsync(now: null, cancellationToken);
            if (batches + claims > 0)
                LogDeleted(logger, batches, claims);
        }
        catch (Exception e) when (!Faults.IsStop(e, cancellationToken))
        {
            LogFault(logger, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Retention deleted {Batches} record batches and {Claims} idempotency claims")]
    private static partial void LogDeleted(ILogger logger, long batches, long claims);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Retention of the stream failed, it is tried again: {Fault}")]
    private static partial void LogFault(ILogger logger, string fault);
}
