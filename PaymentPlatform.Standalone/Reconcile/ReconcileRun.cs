using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.BlobArchiver;
using PaymentPlatform.Query;
using PaymentPlatform.Query.Reconciliation;
using PaymentPlatform.Standalone.Logging;
using PaymentPlatform.Standalone.Run;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Standalone.Reconcile;

/// <summary>One check, and with <c>--repair</c> another one after it: on a platform that runs, or on servers of its own. No service is started.</summary>
internal static class ReconcileRun
{
    /// <summary>Each is a file that can be written again.</summary>
    private const int MaxFindings = 100_000;

    public static async Task<int> RunAsync(ReconcileOptions options)
    {
        var joined = options.Connections is { } file ? Path.GetFullPath(file) : null;
        var data = Path.GetFullPath(joined is null ? options.Data ?? RunOptions.DefaultData : Path.GetDirectoryName(joined)!);
        var logFile = Path.Combine(data, "logs", $"reconcile-{Environment.ProcessId}.log");
        using var signals = new StopSignals();
        RollingFileLog? log = null;
        try
        {
            var given = joined is null ? null : PlatformConnections.Read(joined);
            if (given is null && !Directory.Exists(Path.Combine(data, "postgres")))
                throw new StartFaultException($"There is no platform's data in {data}: name its folder with --data DIR, or a running platform with --connections FILE.", PlatformCommandLine.WrongUsage);
            log = PlatformRun.OpenLog(logFile, data);
            await using var place = await ReconcilePlace.OpenAsync(data, given, signals.Token);
            return await RunAsync(options, place.Connections, data, log, signals.Token);
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopped before the end: nothing is known.");
            return PlatformCommandLine.Fault;
        }
        catch (Exception exception)
        {
            return await StartFaultException.From(exception, logFile).TellAsync(log, exception);
        }
        finally
        {
            if (log is not null)
                await log.DisposeAsync();
        }
    }

    private static async Task<int> RunAsync(ReconcileOptions options, PlatformConnections connections, string data, RollingFileLog log, CancellationToken cancellationToken)
    {
        var run = new RunOptions { Services = new HashSet<PlatformService> { PlatformService.Query, PlatformService.Archiver }, Overrides = options.Overrides };
        await using var app = ServiceHost.Compose(run, connections, 0, data, log);
        app.Services.GetService<IStartupValidator>()?.Validate();
        if (await DatabaseSchema.FindProblemAsync(app.Services.GetRequiredService<NpgsqlDataSource>(), cancellationToken) is { } problem)
            throw new StartFaultException($"{problem} ./platform run does it, too.", PlatformCommandLine.Fault);

        var reconciler = app.Services.GetRequiredService<Reconciler>();
        var started = DateTimeOffset.UtcNow;
        var request = ReconciliationRequest.Of(options.From, options.To, options.Depth, started) with { MaxFindings = MaxFindings };
        var report = await reconciler.RunAsync(request, new ErrorLines(), cancellationToken);
        IReadOnlyList<RepairedFile> repaired = [];
        if (options.Repair && report.Findings.Where(f => f.FileId is not null).Select(f => f.FileId!.Value).ToHashSet() is { Count: > 0 } damaged)
        {
            await Console.Error.WriteLineAsync($"{Counted.Of(damaged.Count, "file")} {(damaged.Count == 1 ? "is" : "are")} missing or damaged: writing {(damaged.Count == 1 ? "it" : "them")} again.");
            repaired = await app.Services.GetRequiredService<IArchiveRepair>().RepairAsync(damaged, cancellationToken);
            // What was found sound a moment ago need not be read again.
            report = await reconciler.RunAsync(request with { NotVerifiedSince = started }, new ErrorLines(), cancellationToken);
        }

        ReconcileOutput.Write(report, repaired, options.Json);
        return report.Agrees ? 0 : PlatformCommandLine.Fault;
    }
}
