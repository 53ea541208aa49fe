using Microsoft.Extensions.Options;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Metrics.Clusters;

/// <summary>Lets clusters follow the samples, every <see cref="MetricsOptions.ClusterInterval"/>. Any number of processes may: one does it at a time.</summary>
internal sealed partial class ClusterService(
    HybridConnectionManager connections, SchemaGate schema, IOptions<MetricsOptions> options, MetricsTelemetry telemetry, TimeProvider time, ILogger<ClusterService> logger) : BackgroundService
{
    // Between rounds while many windows wait, after a rebuild say: the processor is also the commits'.
    private static readonly TimeSpan BetweenRounds = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var round = new ClusterRound(connections.Database, logger);
        try
        {
            await schema.WaitAsync(stoppingToken);
            while (true)
            {
                var pause = options.Value.ClusterInterval;
                try
                {
                    var (computed, more) = await round.RunAsync(stoppingToken);
                    telemetry.Clustered(computed);
                    if (more)
                        pause = BetweenRounds;
                }
                catch (Exception exception) when (!Faults.IsStop(exception, stoppingToken))
                {
                    LogFault(logger, exception.Message, pause.TotalSeconds);
                }

                await Task.Delay(pause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Windows could not be clustered: {Fault} Next attempt in {Seconds} s")]
    private static partial void LogFault(ILogger logger, string fault, double seconds);
}
