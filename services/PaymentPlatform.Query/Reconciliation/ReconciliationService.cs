using Microsoft.Extensions.Options;
using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Query.Reconciliation;

/// <summary>Checks from time to time. Any number of processes may: one does it, and all of them meter what it found.</summary>
internal sealed partial class ReconciliationService(
    Reconciler reconciler, ReconciliationRuns runs, ReconciliationTelemetry telemetry, HybridConnectionManager connections, SchemaGate schema, IOptions<QueryOptions> options, TimeProvider timeProvider,
    ILogger<ReconciliationService> logger) : BackgroundService
{
    private const int LoggedFindings = 5;

    /// <summary>How often each looks whether it is time, and what was found.</summary>
    private static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(1);

    /// <summary>A platform that is new has other things to do than to check itself.</summary>
    private static readonly TimeSpan MaxFirst = TimeSpan.FromMinutes(10);

    private readonly long _started = timeProvider.GetTimestamp();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var interval = options.Value.ReconciliationInterval;
        if (interval == TimeSpan.Zero)
            return;
        try
        {
            await schema.WaitAsync(stoppingToken);
            using var timer = new PeriodicTimer(TimeSpan.FromTicks(Math.Clamp(interval.Ticks, TimeSpan.TicksPerMillisecond, MaxPause.Ticks)), timeProvider);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await CheckAsync(interval, stoppingToken);
                }
                catch (Exception exception) when (!Faults.IsStop(exception, stoppingToken))
                {
                    LogFailed(logger, exception.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task CheckAsync(TimeSpan interval, CancellationToken cancellationToken)
    {
        if (!await IsDueAsync(interval, cancellationToken))
            return;
        await using var guard = await AdvisoryLock.TryTakeAsync(connections.Database, AdvisoryLock.Reconciler, cancellationToken);
        // Another process may have ended one between the two.
        if (guard is null || !await IsDueAsync(interval, cancellationToken))
            return;

        var report = await reconciler.RunAsync(ReconciliationRequest.Of(null, null, ReconciliationDepth.Sample, timeProvider.GetUtcNow()), null, cancellationToken);
        await runs.AddAsync(report, cancellationToken);
        telemetry.Checked(timeProvider.GetUtcNow().UtcDateTime, report.FindingsByKind);
        if (report.Agrees)
        {
            LogAgrees(logger, report.Checked.Files, report.Checked.Contents, report.Checked.Windows, report.ElapsedMs);
            return;
        }

        LogDisagrees(logger, report.Disagreements.Values.Sum());
        foreach (var finding in report.Findings.Where(f => f.Severity == "error").Take(LoggedFindings))
            LogFinding(logger, finding.Kind, finding.Subject, finding.Message, finding.Expected, finding.Actual, finding.Repair);
    }

    private async Task<bool> IsDueAsync(TimeSpan interval, CancellationToken cancellationToken)
    {
        if (await runs.FindLastAsync(cancellationToken) is not var (age, endedAt, findings))
            return timeProvider.GetElapsedTime(_started) >= (interval < MaxFirst ? interval : MaxFirst);
        telemetry.Checked(endedAt, findings);
        return age >= interval;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Manifest, blobs, checkpoints and figures agree: {Files} files (the bytes of {Contents} read), {Windows} windows, in {Milliseconds} ms")]
    private static partial void LogAgrees(ILogger logger, long files, long contents, long windows, long milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The reconciliation has {Count} findings; GET /v1/archive/reconciliation lists them. The first ones follow.")]
    private static partial void LogDisagrees(ILogger logger, long count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Kind}: {Subject}. {Text} Expected {Expected}, found {Actual}. {Repair}")]
    private static partial void LogFinding(ILogger logger, string kind, string subject, string text, string? expected, string? actual, string? repair);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The reconciliation did not come to its end: {Fault} The next one tries again.")]
    private static partial void LogFailed(ILogger logger, string fault);
}
