using Microsoft.Extensions.Options;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Simulator;

/// <summary>Keeps a steady traffic up for as long as the process lives.</summary>
internal sealed partial class SimulatorService(IOptions<SimulatorOptions> options, IServiceProvider services, TimeProvider time, ILogger<SimulatorService> logger) : BackgroundService
{
    public const string HttpClientName = "simulator";

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var settings = options.Value;
        if (settings.Rate == 0)
        {
            LogOff(logger);
            return;
        }

        // Off the starting thread: making the pools takes a moment.
        await Task.Yield();
        var statistics = new TrafficStatistics(time);
        var traffic = settings.ReadSettings();
        using var watch = settings.Config is null ? null : new SettingsWatch(settings.Config, traffic, time, line => LogSettings(logger, line));
        // Ingest would only refuse invalid events.
        var generator = new TransactionGenerator(traffic, settings.Seed ?? traffic.Seed ?? Random.Shared.NextInt64(), validOnly: settings.Target == SimulatorTarget.Http);
        var plan = new TrafficPlan
        {
            Settings = () => watch?.Current ?? traffic,
            Rate = settings.Rate,
            Interval = settings.BatchInterval,
            Clock = traffic.Start is { } start ? new EventClock(start) : null,
        };
        await using var sender = CreateSender(settings, inOrder: traffic.Violations.Count > 0);
        using var progress = time.CreateTimer(_ => LogProgress(logger, statistics.Progress()), null, ProgressInterval, ProgressInterval);
        LogStarted(logger, settings.Rate, settings.Target);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await new Traffic(generator, sender, plan, statistics, recorder: null, truth: null, time).RunAsync(stoppingToken);
            }
            catch (Exception exception)
            {
                LogFailed(logger, exception.Message, Pause.TotalSeconds);
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        LogStopped(logger, statistics.Summary());
    }

    private EventSender CreateSender(SimulatorOptions settings, bool inOrder) => settings.Target == SimulatorTarget.Http
        ? new HttpEventSender(services.GetRequiredService<IHttpClientFactory>().CreateClient(HttpClientName), settings.Url, settings.ApiKey, time, inOrder)
        : new StreamEventSender(services.GetRequiredService<MessagePublisher>(), time);

    [LoggerMessage(Level = LogLevel.Information, Message = "The simulator is off (Simulator:Rate is 0)")]
    private static partial void LogOff(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "The simulator sends {Rate} events/s to {Target}")]
    private static partial void LogStarted(ILogger logger, double rate, SimulatorTarget target);

    [LoggerMessage(Level = LogLevel.Information, Message = "Simulator: {Line}")]
    private static partial void LogSettings(ILogger logger, string line);

    [LoggerMessage(Level = LogLevel.Information, Message = "Simulator: {Progress}")]
    private static partial void LogProgress(ILogger logger, string progress);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The simulator can't send: {Fault} It tries again in {Seconds} s")]
    private static partial void LogFailed(ILogger logger, string fault, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "The simulator stopped: {Summary}")]
    private static partial void LogStopped(ILogger logger, string summary);
}
