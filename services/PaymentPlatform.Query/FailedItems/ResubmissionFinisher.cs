using PaymentPlatform.Storage;
using PaymentPlatform.Storage.Database;
using PaymentPlatform.Streaming;

namespace PaymentPlatform.Query.FailedItems;

/// <summary>Ends resubmissions that a process began and did not end: at the start, and every half minute.</summary>
internal sealed partial class ResubmissionFinisher(Resubmitter resubmitter, SchemaGate schema, TimeProvider timeProvider, ILogger<ResubmissionFinisher> logger) : BackgroundService
{
    /// <summary>A younger one is still somebody's work.</summary>
    private static readonly TimeSpan s_age = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_period, timeProvider);
        try
        {
            await schema.WaitAsync(stoppingToken);
            do
                await RunAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await resubmitter.FinishAsync(s_age, cancellationToken) is > 0 and var items)
                LogFinished(items);
        }
        catch (StreamUnavailableException)
        {
            // Reported by who met it.
        }
        catch (Exception e) when (!Faults.IsStop(e, cancellationToken))
        {
            LogFault(e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Ended the resubmission of {Items} dead letters that was begun and not ended")]
    private partial void LogFinished(int items);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Resubmissions that were begun can't be ended, it is tried again: {Fault}")]
    private partial void LogFault(string fault);
}
