using Microsoft.Extensions.Options;
using PaymentPlatform.BlobArchiver.Compaction;
using PaymentPlatform.BlobArchiver.Lifecycle;
using PaymentPlatform.Storage;

namespace PaymentPlatform.BlobArchiver;

/// <summary>Sweeps, looks for lost files, merges small ones, and moves and deletes old ones, from time to time. Any number of processes may: one does it at a time.</summary>
internal sealed partial class ArchiveMaintenanceService(
    ArchiveSweeper sweeper,
    LostFileRestorer restorer,
    MergedFileRestorer mergedRestorer,
    ArchiveCompactor compactor,
    ArchiveTiering tiering,
    RetentionDeleter deleter,
    IOptions<ArchiverOptions> options,
    TimeProvider timeProvider,
    ILogger<ArchiveMaintenanceService> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(SweepAsync(stoppingToken), CompactAsync(stoppingToken), AgeAsync(stoppingToken));

    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        var restoredAt = timeProvider.GetTimestamp();
        using var timer = new PeriodicTimer(options.Value.SweepInterval, timeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await TryAsync("sweep", sweeper.SweepAsync, options.Value.SweepInterval, stoppingToken);
                await TryAsync("rehydrate files", tiering.RehydrateAsync, options.Value.SweepInterval, stoppingToken);
                if (timeProvider.GetElapsedTime(restoredAt) < options.Value.RestoreInterval)
                    continue;
                await TryAsync("look for lost merged files", mergedRestorer.RestoreAsync, options.Value.RestoreInterval, stoppingToken);
                await TryAsync("look for lost files", restorer.RestoreAsync, options.Value.RestoreInterval, stoppingToken);
                restoredAt = timeProvider.GetTimestamp();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Beside the sweeps: it may take long.</summary>
    private async Task CompactAsync(CancellationToken stoppingToken)
    {
        if (options.Value.CompactionInterval == TimeSpan.Zero)
            return;
        using var timer = new PeriodicTimer(options.Value.CompactionInterval, timeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await TryAsync("merge small files", compactor.CompactAsync, options.Value.CompactionInterval, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task AgeAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Tiering && options.Value.RetentionDays == 0)
            return;
        using var timer = new PeriodicTimer(options.Value.LifecycleInterval, timeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await TryAsync("delete files past their retention", deleter.DeleteAsync, options.Value.LifecycleInterval, stoppingToken);
                await TryAsync("move files to cooler tiers", tiering.MoveAsync, options.Value.LifecycleInterval, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task TryAsync(string what, Func<CancellationToken, Task> work, TimeSpan interval, CancellationToken cancellationToken)
    {
        try
        {
            await work(cancellationToken);
        }
        catch (Exception e) when (!Faults.IsStop(e, cancellationToken))
        {
            LogFailed(logger, what, Faults.Describe(e), interval);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not {What}: {Fault}. Next attempt in {Delay} or later.")]
    private static partial void LogFailed(ILogger logger, string what, string fault, TimeSpan delay);
}
