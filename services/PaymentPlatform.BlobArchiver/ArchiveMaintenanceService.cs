using Microsoft.Extensions.Options;

namespace PaymentPlatform.BlobArchiver;

/// <summary>Sweeps, and looks for lost files, from time to time. Any number of processes may: one does it at a time.</summary>
internal sealed partial class ArchiveMaintenanceService(
    ArchiveSweeper sweeper, LostFileRestorer restorer, IOptions<ArchiverOptions> options, TimeProvider timeProvider, ILogger<ArchiveMaintenanceService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var restoredAt = timeProvider.GetTimestamp();
        using var timer = new PeriodicTimer(options.Value.SweepInterval, timeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await TryAsync("sweep", sweeper.SweepAsync, stoppingToken);
                if (timeProvider.GetElapsedTime(restoredAt) < options.Value.RestoreInterval)
                    continue;
                await TryAsync("look for lost files", restorer.RestoreAsync, stoppingToken);
                restoredAt = timeProvider.GetTimestamp();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task TryAsync(string what, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await work(cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(logger, what, PersistentRetry.Describe(e), options.Value.SweepInterval);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not {What}: {Fault}. Next attempt in {Delay} or later.")]
    private static partial void LogFailed(ILogger logger, string what, string fault, TimeSpan delay);
}
