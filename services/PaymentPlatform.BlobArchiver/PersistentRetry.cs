using Microsoft.Extensions.Options;
using PaymentPlatform.Storage;

namespace PaymentPlatform.BlobArchiver;

/// <summary>
/// Tries until it succeeds: what is in memory must be written, however long a store is away. The memory is bounded, because nothing more is read meanwhile.
/// What would fail in the same way for ever gets through.
/// </summary>
internal sealed partial class PersistentRetry(IOptions<ArchiverOptions> options, TimeProvider timeProvider, ILogger<PersistentRetry> logger)
{
    private const double FirstShare = 1 / 50d;

    /// <param name="what">For the log: completes "could not …".</param>
    /// <param name="work">Safe to run again after it failed half-way.</param>
    /// <param name="passes">Which faults to try again after; all but <see cref="Faults.IsRefusal"/> unless given. The others are thrown.</param>
    public async Task<T> RunAsync<T>(string what, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken, Func<Exception, bool>? passes = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var result = await work(cancellationToken);
                if (attempt > 1)
                    LogRecovered(logger, what, attempt);
                return result;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && (passes?.Invoke(e) ?? !Faults.IsRefusal(e)))
            {
                var delay = Delay(attempt);
                LogFailed(logger, what, attempt, Faults.Describe(e), delay);
                await Task.Delay(delay, timeProvider, cancellationToken);
            }
        }
    }

    public Task RunAsync(string what, Func<CancellationToken, Task> work, CancellationToken cancellationToken, Func<Exception, bool>? passes = null) => RunAsync(what, async token =>
    {
        await work(token);
        return true;
    }, cancellationToken, passes);

    private TimeSpan Delay(int attempt)
    {
        var most = options.Value.MaxRetryDelay;
        return Math.Min(1, FirstShare * Math.Pow(2, Math.Min(attempt - 1, 20))) * (0.8 + 0.4 * Random.Shared.NextDouble()) * most;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not {What} (attempt {Attempt}): {Fault}. Next attempt in {Delay}.")]
    private static partial void LogFailed(ILogger logger, string what, int attempt, string fault, TimeSpan delay);

    [LoggerMessage(Level = LogLevel.Information, Message = "Could {What} at attempt {Attempt}.")]
    private static partial void LogRecovered(ILogger logger, string what, int attempt);
}
