using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace PaymentPlatform.Storage.Database;

/// <summary>Keeps consumers off a database whose schema is not theirs, and says so in <c>/health</c>. They wait, since the migrator may still be at work.</summary>
public sealed partial class SchemaGate(NpgsqlDataSource database, TimeProvider timeProvider, ILogger<SchemaGate> logger) : IHealthCheck
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);

    /// <summary>Returns once the schema fits. A database that does not answer is waited for as well.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        string? told = null;
        for (var delay = s_first; ; delay = delay * 2 < s_longest ? delay * 2 : s_longest)
        {
            var problem = await LookAsync(cancellationToken);
            if (problem is null)
            {
                if (told is not null)
                    LogOpen(logger, DatabaseSchema.Newest);
                return;
            }

            if (problem != told)
                LogClosed(logger, told = problem);
            await Task.Delay(delay, timeProvider, cancellationToken);
        }
    }

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        await DatabaseSchema.FindProblemAsync(database, cancellationToken) is { } problem ? HealthCheckResult.Unhealthy(problem) : HealthCheckResult.Healthy();

    private async Task<string?> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await DatabaseSchema.FindProblemAsync(database, cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
        {
            return $"The database does not answer: {exception.Message}";
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Nothing is consumed yet. {Problem}")]
    private static partial void LogClosed(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "The database's schema is ready ({Newest}); consuming begins")]
    private static partial void LogOpen(ILogger logger, string newest);
}
