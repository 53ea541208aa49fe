using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>Folds what commits left, every <see cref="MetricsOptions.FoldInterval"/>. Any number of processes may: one does it at a time.</summary>
internal sealed partial class FoldService(
    HybridConnectionManager connections, SchemaGate schema, IOptions<MetricsOptions> options, MetricsTelemetry telemetry, TimeProvider time, ILogger<FoldService> logger) : BackgroundService
{
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var folder = new DeltaFolder(connections.Database, logger: logger);
        var failures = 0;
        try
        {
            await schema.WaitAsync(stoppingToken);
            while (true)
            {
                var more = false;
                try
                {
                    var started = time.GetTimestamp();
                    var rows = await folder.FoldAsync(stoppingToken);
                    if (rows > 0)
                        telemetry.Folded(rows.Value, time.GetElapsedTime(started));
                    more = rows > DeltaFolder.DefaultRows / 2;
                    failures = 0;
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    failures++;
                    if (exception is NpgsqlException or TimeoutException)
                        LogUnavailable(logger, exception.Message);
                    else
                        LogFailed(logger, exception);
                }

                if (!more)
                    await Task.Delay(Pause(failures), time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private TimeSpan Pause(int failures) => TimeSpan.FromTicks(Math.Min(MaxPause.Ticks, options.Value.FoldInterval.Ticks << Math.Min(failures, 5)));

    [LoggerMessage(Level = LogLevel.Warning, Message = "Percentiles and unique counts could not be folded; the next attempt follows. {Fault}")]
    private static partial void LogUnavailable(ILogger logger, string fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "Percentiles and unique counts can't be folded; they stand still until this is mended, counts go on")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
