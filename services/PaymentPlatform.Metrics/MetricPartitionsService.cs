using Microsoft.Extensions.Options;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Metrics;

/// <summary>Keeps the partitions, at the start and every hour.</summary>
internal sealed partial class MetricPartitionsService(
    HybridConnectionManager connections, SchemaGate schema, IOptions<MetricsOptions> options, TimeProvider time, ILogger<MetricPartitionsService> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1), AfterFault = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var partitions = new MetricPartitions(connections.Database, options.Value.Retention, time);
        try
        {
            await schema.WaitAsync(stoppingToken);
            while (true)
            {
                var pause = Interval;
                try
                {
                    var (made, dropped) = await partitions.MaintainAsync(stoppingToken);
                    if (made + dropped > 0)
                        LogMaintained(logger, made, dropped);
                }
                catch (Exception exception) when (!Faults.IsStop(exception, stoppingToken))
                {
                    pause = AfterFault;
                    LogFailed(logger, exception.Message, pause.TotalSeconds);
                }

                await Task.Delay(pause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Days of figures: {Made} partitions made, {Dropped} dropped")]
    private static partial void LogMaintained(ILogger logger, int made, int dropped);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The partitions of the figures' tables could not be kept: {Fault} Next attempt in {Seconds} s; until then new days go to the default partition")]
    private static partial void LogFailed(ILogger logger, string fault, double seconds);
}
