using Microsoft.Extensions.Options;
using PaymentPlatform.Storage;

namespace PaymentPlatform.Query.Lookup;

/// <summary>Fills the lookup index behind the start, and keeps it up with new files; nothing waits for it but lookups.</summary>
internal sealed partial class LookupIndexService(LookupIndex index, IOptions<QueryOptions> options, TimeProvider timeProvider, ILogger<LookupIndexService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Opening the archive's stores must not hold up the start.
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await index.FillAsync(stoppingToken);
            }
            catch (Exception exception) when (!Faults.IsStop(exception, stoppingToken))
            {
                LogNotFilled(Faults.Describe(exception));
            }

            await Task.Delay(options.Value.LookupRefresh, timeProvider, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lookup index could not be brought up to date: {Fault}")]
    private partial void LogNotFilled(string fault);
}
