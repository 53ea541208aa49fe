using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Metrics.Deltas;

/// <summary>
/// Folds what commits left, every <see cref="MetricsOptions.FoldInterval"/>, and less often when folds take long: they leave most of the database's time to the commits.
/// Any number of processes may: one does it at a time, and all share that pause.
/// </summary>
internal sealed partial class FoldService(
    HybridConnectionManager connections, SchemaGate schema, IOptions<MetricsOptions> options, MetricsTelemetry telemetry, TimeProvider time, ILogger<FoldService> logger) : BackgroundService
{
    /// <summary>Of the time, folds take one part in this many at most, as long as they keep up.</summary>
    private const int TimeShare = 8;

    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var folder = new DeltaFolder(connections.Database, logger: logger, timeShare: TimeShare);
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
                    if (await folder.FoldAsync(stoppingToken) is { Rows: > 0 } fold)
                    {
                        telemetry.Folded(fold.Rows, time.GetElapsedTime(started));
                        more = fold.IsAtLimit;
                    }

                    failures = 0;
                }
                catch (Exception exception) when (!Faults.IsStop(exception, stoppingToken))
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

    private TimeSpan Pause(int failures)
    {
        var interval = options.Value.FoldInterval.Ticks;
        return TimeSpan.FromTicks(Math.Min(Math.Max(interval, MaxPause.Ticks), interval << Math.Min(failures, 5)));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Percentiles and unique counts could not be folded; the next attempt follows. {Fault}")]
    private static partial void LogUnavailable(ILogger logger, string fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "Percentiles and unique counts can't be folded; they stand still until this is mended, counts go on")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
