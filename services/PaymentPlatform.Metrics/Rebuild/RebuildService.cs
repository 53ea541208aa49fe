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
    /// <summary>Of those that end in a fault that could pass; the delays before the next are 15 s, 1, 4 and 16 min.</summary>
    private const int MaxAttempts = 5;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1), FirstDelay = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (string.IsNullOrWhiteSpace(configuration.GetConnectionString(BlobConnection.Name)))
        {
            LogNoArchive(logger, BlobConnection.Name);
            return;
        }

        var jobs = new RebuildJobs(connections.Database, time);
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
                catch (Exception exception) when (!Faults.IsStop(exception, stoppingToken))
                {
                    LogFault(logger, Faults.Describe(exception));
                }

                await Task.Delay(Pause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <returns>False when there was nothing to do.</returns>
    private async Task<bool> RunNextAsync(RebuildJobs jobs, CancellationToken stoppingToken)
    {
        if (await jobs.FindNextAsync(stoppingToken) is not { } next)
            return false;
        var attempt = next.Attempt;
        try
        {
            if (await jobs.BeginAsync(next.Id, stoppingToken) is not var (job, cut))
                return true;
            attempt = job.Attempt;
            LogBegun(logger, job.Id, Time(job.From), Time(job.To), job.Attempt);
            var run = new RebuildRun(jobs, new(connections), job, cut, catalog.Current.RuleSet, parserOptions, options.Value, time, logger);
            await run.RunAsync(stoppingToken);
            LogDone(logger, job.Id, run.EventsRead, run.HeldUp.TotalMilliseconds);
            if (run.RuleFailures > 0)
                LogRulesFailed(logger, job.Id, run.RuleFailures);
            return true;
        }
        catch (RebuildStoppedException)
        {
            LogStopped(logger, next.Id);
        }
        catch (RebuildRefusedException exception)
        {
            LogRefused(logger, next.Id, exception.Message);
            await NoteAsync(() => jobs.FailAsync(next.Id, attempt, exception.Message, stoppingToken), stoppingToken);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            await EndAsync(jobs, next with { Attempt = attempt }, exception, stoppingToken);
        }

        await jobs.CleanAsync(stoppingToken);
        return true;
    }

    private async Task EndAsync(RebuildJobs jobs, NextRebuild rebuild, Exception exception, CancellationToken stoppingToken)
    {
        var fault = Faults.Describe(exception);
        if (!Faults.IsStoreDown(exception))
        {
            LogFailed(logger, exception, rebuild.Id);
            var reason = exception is NpgsqlException or Azure.RequestFailedException
                ? $"The store refused it: {fault}. Mend that, then ask again."
                : $"The platform failed on this rebuild ({exception.GetType().Name}); the metrics service's log says why.";
            await NoteAsync(() => jobs.FailAsync(rebuild.Id, rebuild.Attempt, reason, stoppingToken), stoppingToken);
        }
        else if (rebuild.Faults + 1 >= MaxAttempts)
        {
            LogFailed(logger, exception, rebuild.Id);
            await NoteAsync(() => jobs.FailAsync(rebuild.Id, rebuild.Attempt, $"Given up after {MaxAttempts} attempts that met a fault of the database or the blob store, the last: {fault}. Ask again once they answer.", stoppingToken), stoppingToken);
        }
        else
        {
            var delay = FirstDelay * Math.Pow(4, rebuild.Faults);
            LogPostponed(logger, rebuild.Id, delay.TotalSeconds, fault);
            await NoteAsync(() => jobs.PostponeAsync(rebuild.Id, rebuild.Attempt, fault, delay, stoppingToken), stoppingToken);
        }
    }

    /// <summary>Until the database takes it: a rebuild that brings it down must be counted.</summary>
    private Task NoteAsync(Func<Task> note, CancellationToken stoppingToken) => PersistentWrite.UntilTakenAsync(note, fault => LogFault(logger, fault), time, stoppingToken);

    private static DateTime Time(long micros) => DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    [LoggerMessage(Level = LogLevel.Information, Message = "This process rebuilds no figures: it has no connection string '{Name}' to read the archive with")]
    private static partial void LogNoArchive(ILogger logger, string name);

    [LoggerMessage(Level = LogLevel.Information, Message = "Rebuild {Id} of the figures from {From:u} to {To:u} begins (attempt {Attempt})")]
    private static partial void LogBegun(ILogger logger, long id, DateTime from, DateTime to, int attempt);

    [LoggerMessage(Level = LogLevel.Information, Message = "Rebuild {Id} is in place, from {Events} archived events; the swap kept commits waiting for {Milliseconds:0} ms")]
    private static partial void LogDone(ILogger logger, long id, long events, double milliseconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Rebuild {Id}: the rules failed on {Count} of its events, the first of which are logged above. Their figures are counted; rules' results lack them")]
    private static partial void LogRulesFailed(ILogger logger, long id, long count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Rebuild {Id} was stopped; the old figures stay")]
    private static partial void LogStopped(ILogger logger, long id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rebuild {Id} is refused, the old figures stay: {Reason}")]
    private static partial void LogRefused(ILogger logger, long id, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Rebuild {Id} failed; the old figures stay")]
    private static partial void LogFailed(ILogger logger, Exception exception, long id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rebuild {Id} met a fault and begins again in {Seconds} s; the old figures stay: {Fault}")]
    private static partial void LogPostponed(ILogger logger, long id, double seconds, string fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rebuilds can't be looked at in the database, it is tried again: {Fault}")]
    private static partial void LogFault(ILogger logger, string fault);
}
