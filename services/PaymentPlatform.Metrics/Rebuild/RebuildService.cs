using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Events;
using PaymentPlatform.Metrics.Rules;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Metrics.Rebuild;

/// <summary>Works on the rebuilds that were asked for: one at a time over all processes, and again from the beginning when the one that did it has ended.</summary>
internal sealed partial class RebuildService(
    HybridConnectionManager connections, SchemaGate schema, RuleService ruleService, RuleCatalog catalog, TransactionParserOptions parserOptions, IOptions<MetricsOptions> options, IConfiguration configuration, TimeProvider time, ILogger<RebuildService> logger)
    : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (string.IsNullOrWhiteSpace(configuration.GetConnectionString(BlobConnection.Name)))
        {
            LogNoArchive(logger, BlobConnection.Name);
            return;
        }

        var jobs = new RebuildJobs(connections.Database);
        try
        {
            await schema.WaitAsync(stoppingToken);
            await ruleService.SeededAsync(stoppingToken);
            while (true)
            {
                try
                {
                    await using var turn = await AdvisoryLock.TryTakeAsync(connections.Database, AdvisoryLock.Rebuilder, stoppingToken);
                    while (turn is not null && await RunNextAsync(jobs, stoppingToken))
                    {
                    }
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    LogFault(logger, exception.Message);
                }

                await Task.Delay(Pause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task<bool> RunNextAsync(RebuildJobs jobs, CancellationToken stoppingToken)
    {
        if (await jobs.BeginAsync(stoppingToken) is not var (job, cut))
            return false;
        LogBegun(logger, job.Id, Time(job.From), Time(job.To), job.Attempt);
        var run = new RebuildRun(jobs, new(connections), job, cut, catalog.Current.RuleSet, parserOptions, options.Value, time);
        try
        {
            await run.RunAsync(stoppingToken);
            LogDone(logger, job.Id, run.EventsRead);
            return true;
        }
        catch (RebuildStoppedException)
        {
            LogStopped(logger, job.Id);
        }
        catch (RebuildRefusedException exception)
        {
            LogRefused(logger, job.Id, exception.Message);
            await jobs.FailAsync(job, exception.Message, stoppingToken);
        }
        catch (Exception exception) when (exception is not NpgsqlException and not Azure.RequestFailedException and not TimeoutException && !stoppingToken.IsCancellationRequested)
        {
            LogFailed(logger, exception, job.Id);
            await jobs.FailAsync(job, $"The platform failed on this rebuild ({exception.GetType().Name}); the metrics service's log says why.", stoppingToken);
        }

        await jobs.CleanAsync(stoppingToken);
        return true;
    }

    private static DateTime Time(long micros) => DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    [LoggerMessage(Level = LogLevel.Information, Message = "This process rebuilds no figures: it has no connection string '{Name}' to read the archive with")]
    private static partial void LogNoArchive(ILogger logger, string name);

    [LoggerMessage(Level = LogLevel.Information, Message = "Rebuild {Id} of the figures from {From:u} to {To:u} begins (attempt {Attempt})")]
    private static partial void LogBegun(ILogger logger, long id, DateTime from, DateTime to, int attempt);

    [LoggerMessage(Level = LogLevel.Information, Message = "Rebuild {Id} is in place, from {Events} archived events")]
    private static partial void LogDone(ILogger logger, long id, long events);

    [LoggerMessage(Level = LogLevel.Information, Message = "Rebuild {Id} was stopped; the old figures stay")]
    private static partial void LogStopped(ILogger logger, long id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rebuild {Id} is refused, the old figures stay: {Reason}")]
    private static partial void LogRefused(ILogger logger, long id, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Rebuild {Id} failed; the old figures stay")]
    private static partial void LogFailed(ILogger logger, Exception exception, long id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A rebuild could not go on and begins again: {Fault}")]
    private static partial void LogFault(ILogger logger, string fault);
}
