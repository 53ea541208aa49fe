using Microsoft.Extensions.Options;
using PaymentPlatform.Events;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Metrics;

/// <summary>Runs the loop for as long as the process lives; starts it anew, with backoff, should it ever fail.</summary>
internal sealed partial class MetricsService(
    MessageConsumerFactory consumers, HybridConnectionManager connections, SchemaGate schema, RuleService ruleService, RuleCatalog catalog, StreamOutage outage, TransactionParserOptions parserOptions, IOptions<MetricsOptions> options,
    MetricsTelemetry telemetry, TimeProvider time, ILogger<MetricsService> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var abort = new CancellationTokenSource();
        await using var registration = stoppingToken.Register(() => abort.CancelAfter(options.Value.StopTimeout));
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await schema.WaitAsync(stoppingToken);
                await ruleService.SeededAsync(stoppingToken);
                await using var consumer = await consumers.CreateAsync(MetricsWriter.ConsumerGroup, stoppingToken);
                outage.Over();
                using var rules = new PartitionRules(connections.Database, catalog, parserOptions.CardData);
                var loop = new MetricsLoop(
                    consumer, new(connections.Database), new(parserOptions), new(connections.Database, MetricsWriter.ConsumerGroup, time, logger), rules, options.Value, telemetry, time, logger);
                await loop.RunAsync(stoppingToken, abort.Token);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                LogAborted(logger);
            }
            catch (StreamUnavailableException exception)
            {
                outage.Report(exception.Message);
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception exception)
            {
                LogFailed(logger, exception, Pause.TotalSeconds);
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The metrics loop failed; it starts again in {Seconds} s")]
    private static partial void LogFailed(ILogger logger, Exception exception, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "The metrics loop was ended before it had committed all it held; the next start reads that again")]
    private static partial void LogAborted(ILogger logger);
}
