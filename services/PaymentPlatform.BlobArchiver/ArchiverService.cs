using Microsoft.Extensions.Options;
using PaymentPlatform.BlobArchiver.Compaction;
using PaymentPlatform.Events;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Archive;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Streaming;
using PaymentPlatform.Streaming.Repeats;

namespace PaymentPlatform.BlobArchiver;

/// <summary>Keeps an <see cref="ArchiveLoop"/> going: container, lost files, then the stream; again from the checkpoints when a fault gets through.</summary>
internal sealed partial class ArchiverService(
    MessageConsumerFactory consumers,
    IArchiveFlusher flusher,
    ArchiveBlobs blobs,
    LostFileRestorer restorer,
    MergedFileRestorer mergedRestorer,
    HybridConnectionManager connections,
    SchemaGate schema,
    StreamOutage outage,
    PersistentRetry retry,
    IConfiguration configuration,
    IOptions<ArchiverOptions> options,
    ArchiverTelemetry telemetry,
    TimeProvider timeProvider,
    ILogger<ArchiverService> logger) : BackgroundService
{
    private readonly CancellationTokenSource _abort = new();
    private readonly CardDataMode _cardData = StreamCardData.Read(configuration);

    /// <summary>Lets the loop flush what it holds, for as long as the host waits.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await using var _ = cancellationToken.Register(() => _abort.CancelAsync());
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _abort.Cancel();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await schema.WaitAsync(stoppingToken);
            await retry.RunAsync("make the archive's container", blobs.EnsureContainerAsync, stoppingToken);
            await RestoreAsync(stoppingToken);
            while (!stoppingToken.IsCancellationRequested)
            {
                await ArchiveAsync(stoppingToken);
            }
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested || _abort.IsCancellationRequested)
        {
            // Stopped before it began, with the stores there or away, or out of time: what was not committed is read again by the next owner.
        }
    }

    /// <summary>Waits for a store that is down, but for nothing else: the maintenance looks again later.</summary>
    private async Task RestoreAsync(CancellationToken stoppingToken)
    {
        try
        {
            await retry.RunAsync("look for lost merged files", mergedRestorer.RestoreAsync, stoppingToken, Faults.IsStoreDown);
            await retry.RunAsync("look for lost files", restorer.RestoreAsync, stoppingToken, Faults.IsStoreDown);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            LogRestoreFault(logger, e, options.Value.RestoreInterval);
        }
    }

    private async Task ArchiveAsync(CancellationToken stoppingToken)
    {
        try
        {
            await schema.WaitAsync(stoppingToken);
            await using var consumer = await consumers.CreateAsync(ArchiveFlusher.ConsumerGroup, stoppingToken);
            outage.Over();
            var appender = new EventAppender(_cardData, logger);
            var repeats = new RepeatFilter(connections.Database, ArchiveFlusher.ConsumerGroup, timeProvider, logger);
            await new ArchiveLoop(consumer, flusher, appender, repeats, options.Value, telemetry, timeProvider, logger).RunAsync(stoppingToken, _abort.Token);
            LogStopped(logger);
        }
        catch (StreamUnavailableException e)
        {
            outage.Report(e.Message);
            await Task.Delay(options.Value.MaxRetryDelay, timeProvider, stoppingToken);
        }
        catch (Exception e) when (!Faults.IsStop(e, stoppingToken))
        {
            LogFault(logger, e, options.Value.MaxRetryDelay);
            await Task.Delay(options.Value.MaxRetryDelay, timeProvider, stoppingToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Archiver stopped; what it had read is committed, or left to the next owner")]
    private static partial void LogStopped(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not look for lost files. Archiving begins nevertheless; the next look is in {Delay}")]
    private static partial void LogRestoreFault(ILogger logger, Exception e, TimeSpan delay);

    [LoggerMessage(Level = LogLevel.Error, Message = "The archiver failed. It starts again from its checkpoints in {Delay}")]
    private static partial void LogFault(ILogger logger, Exception e, TimeSpan delay);
}
