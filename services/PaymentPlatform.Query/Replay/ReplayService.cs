using DuckDB.NET.Data;
using Microsoft.Extensions.Options;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Query.Replay;

/// <summary>Works on the replays that were asked for, one at a time in a process. Several processes share them; one that its process has left behind goes on in another, where it was.</summary>
internal sealed partial class ReplayService(
    ReplayJobs jobs, ReplaySource source, StreamTargets targets, SchemaGate schema, IOptions<QueryOptions> options, TimeProvider time, ILogger<ReplayService> logger) : BackgroundService
{
    /// <summary>Between two looks at what waits, and between two notes of the progress.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>Until a stream, a store or the database that is away is asked again.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await schema.WaitAsync(stoppingToken);
            while (true)
            {
                try
                {
                    while (await jobs.BeginAsync(options.Value.ReplayLease, stoppingToken) is { } job)
                        await WorkAsync(job, stoppingToken);
                }
                catch (Exception exception) when (!Faults.IsStop(exception, stoppingToken))
                {
                    LogFault(exception.Message);
                }

                await Task.Delay(s_pause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task WorkAsync(ReplayJob job, CancellationToken stoppingToken)
    {
        LogBegun(job.Id, job.Target, job.Position.EventsDone, job.Attempt);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var run = new ReplayRun(job, source, time);
        var beat = BeatAsync(job, run, end);
        var fault = await TryAsync(job, run, end.Token);
        await end.CancelAsync();
        if (!await beat)
        {
            LogStopped(job.Id, run.Progress.Position.EventsDone);
            await KeepCountsAsync(job, run.Progress, stoppingToken);
            return;
        }

        await LeaveAsync(job, run.Progress, stoppingToken.IsCancellationRequested && fault is OperationCanceledException ? new ReplayStoppedException() : fault, stoppingToken);
    }

    /// <returns>What ended it early; null when everything is in the target.</returns>
    private async Task<Exception?> TryAsync(ReplayJob job, ReplayRun run, CancellationToken cancellationToken)
    {
        try
        {
            if (job.Faults >= options.Value.ReplayAttempts)
                throw new ReplayFailedException($"The process that worked on it ended {job.Faults} times in a row before it published an event, or left one out; the services' logs may say why.");
            await using var target = await targets.OpenAsync(job.Target, cancellationToken);
            await run.RunAsync(target, cancellationToken);
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }

    /// <summary>Once a second, until the end.</summary>
    /// <returns>False when the replay was stopped or taken over.</returns>
    private async Task<bool> BeatAsync(ReplayJob job, ReplayRun run, CancellationTokenSource end)
    {
        try
        {
            while (true)
            {
                await Task.Delay(s_pause, time, end.Token);
                try
                {
                    if (await jobs.SaveAsync(job, run.Progress, options.Value.ReplayLease, end.Token))
                        continue;
                    await end.CancelAsync();
                    return false;
                }
                catch (Exception exception) when (!end.IsCancellationRequested)
                {
                    // The claims keep two processes apart should the lease run out.
                    LogFault(exception.Message);
                }
            }
        }
        catch (Exception) when (end.IsCancellationRequested)
        {
            return true;
        }
    }

    /// <summary>Until the database takes them: nobody else works on a replay that was stopped.</summary>
    private Task KeepCountsAsync(ReplayJob job, ReplayProgress progress, CancellationToken stoppingToken) =>
        PersistentWrite.UntilTakenAsync(() => jobs.KeepCountsAsync(job, progress), LogFault, time, stoppingToken);

    private async Task LeaveAsync(ReplayJob job, ReplayProgress progress, Exception? fault, CancellationToken stoppingToken)
    {
        var faults = (job.IsBefore(progress.Position) ? 0 : job.Faults) + 1;
        var (state, error, pause) = fault switch
        {
            null => ("done", null, TimeSpan.Zero),
            ReplayStoppedException => ("waiting", null, TimeSpan.Zero),
            ReplayFailedException { IsMendable: false } => ("failed", $"{fault.Message} What was published stays.", TimeSpan.Zero),
            _ when IsLasting(fault) => ("failed", $"{fault.Message} What was published stays; POST /v1/replays/{job.Id}/resume goes on there.", TimeSpan.Zero),
            _ when IsAway(fault) => ("waiting", fault.Message, s_patience),
            _ when faults < options.Value.ReplayAttempts => ("waiting", Describe(fault), TimeSpan.FromSeconds(Math.Min(Math.Pow(2, faults), s_longestPause.TotalSeconds))),
            _ => ("failed", $"{Describe(fault)} {faults} attempts in a row ended so. What was published stays; POST /v1/replays/{job.Id}/resume goes on there.", TimeSpan.Zero),
        };
        if (state == "done")
            progress = progress with { EventsTotal = progress.Position.EventsPassed };
        var isOurs = await PersistentWrite.UntilTakenAsync(
            () => jobs.LeaveAsync(job, progress, state, error, fault is null or ReplayStoppedException || IsAway(fault) ? 0 : faults, pause), LogFault, time, stoppingToken);
        if (!isOurs)
        {
            await KeepCountsAsync(job, progress, stoppingToken);
            LogStopped(job.Id, progress.Position.EventsDone);
            return;
        }

        if (state == "done" && progress.Position is { EventsSkipped: > 0 } position)
            LogDoneInPart(job.Id, position.EventsDone, position.EventsSkipped, string.Join("; ", position.Skipped!));
        else if (state == "done")
            LogDone(job.Id, progress.Position.EventsDone);
        else if (fault is ReplayStoppedException)
            LogReleased(job.Id, progress.Position.EventsDone);
        else if (IsLasting(fault!) || IsAway(fault!))
            LogHalted(job.Id, state, fault!.Message);
        else
            LogFailed(fault!, job.Id, state);
    }

    /// <summary>Nothing changes by itself.</summary>
    private static bool IsLasting(Exception fault) => fault is ReplayFailedException or StreamNotFoundException
        or ArchiveFileException { IsArchived: true } or ArchiveFileException { InnerException: null or DuckDBException or Azure.RequestFailedException { Status: 404 } };

    /// <summary>Waited for as long as it takes.</summary>
    private static bool IsAway(Exception fault) => fault switch
    {
        StreamUnavailableException or EngineBusyException => true,
        ArchiveFileException { InnerException: { } inner } => Faults.IsStoreDown(inner),
        _ => HybridConnectionManager.IsTransient(fault),
    };

    private static string Describe(Exception fault) =>
        fault is ArchiveFileException ? fault.Message : $"The platform failed on this replay ({fault.GetType().Name}); the query service's log says why.";

    [LoggerMessage(Level = LogLevel.Information, Message = "Replay {Id} into {Target} begins behind {Events} events (attempt {Attempt})")]
    private partial void LogBegun(Guid id, string target, long events, int attempt);

    [LoggerMessage(Level = LogLevel.Information, Message = "Replay {Id} is done: {Events} events")]
    private partial void LogDone(Guid id, long events);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Replay {Id} is done: {Events} events. {Skipped} are left out, as too large for the target, the first of them: {Named}")]
    private partial void LogDoneInPart(Guid id, long events, long skipped, string named);

    [LoggerMessage(Level = LogLevel.Information, Message = "Replay {Id} was stopped or taken over, behind {Events} events")]
    private partial void LogStopped(Guid id, long events);

    [LoggerMessage(Level = LogLevel.Information, Message = "Replay {Id} waits behind {Events} events for the next process: this one stops")]
    private partial void LogReleased(Guid id, long events);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Replay {Id} is {State}: {Reason}")]
    private partial void LogHalted(Guid id, string state, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "An attempt at replay {Id} failed; it is {State}")]
    private partial void LogFailed(Exception exception, Guid id, string state);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The replays' table can't be reached: {Fault}")]
    private partial void LogFault(string fault);
}
