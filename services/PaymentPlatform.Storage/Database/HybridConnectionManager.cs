using System.Data;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Polly;
using Polly.Retry;

namespace PaymentPlatform.Storage.Database;

/// <summary>The one place that hands out PostgreSQL connections and blob clients. A singleton of the process.</summary>
public sealed partial class HybridConnectionManager
{
    private readonly Lazy<BlobContainerClient> _rawEvents;
    private readonly ResiliencePipeline _retry;

    /// <param name="blobs">Opened when something asks for a blob: a service that touches none needs no connection to them.</param>
    public HybridConnectionManager(
        NpgsqlDataSource database, Lazy<BlobServiceClient> blobs, IOptions<HybridConnectionOptions> options, TimeProvider timeProvider, ILogger<HybridConnectionManager> logger)
    {
        Database = database;
        _rawEvents = new(() => blobs.Value.GetBlobContainerClient(options.Value.Container));
        _retry = new ResiliencePipelineBuilder { TimeProvider = timeProvider }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<Exception>(IsTransient),
                MaxRetryAttempts = Math.Max(1, options.Value.MaxRetries),
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromMilliseconds(100),
                MaxDelay = TimeSpan.FromSeconds(5),
                UseJitter = true,
                OnRetry = arguments =>
                {
                    LogRetry(logger, arguments.AttemptNumber + 1, arguments.Outcome.Exception?.Message ?? "");
                    return default;
                },
            })
            .Build();
        if (options.Value.MaxRetries == 0)
            _retry = ResiliencePipeline.Empty;
    }

    /// <summary>The pooled data source.</summary>
    public NpgsqlDataSource Database { get; }

    /// <summary>The archive's container.</summary>
    /// <exception cref="OptionsValidationException">The connection string <c>blobs</c> is missing or wrong.</exception>
    public BlobContainerClient RawEvents => _rawEvents.Value;

    /// <summary>
    /// Runs work that may safely run again (reads, or writes that are idempotent) on a connection, retrying transient faults.
    /// A transaction with a compare-and-swap checkpoint must not go through here: its outcome is read from the checkpoint instead.
    /// </summary>
    public async Task<T> ExecuteAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        await _retry.ExecuteAsync(async token =>
        {
            await using var connection = await Database.OpenConnectionAsync(token);
            return await work(connection, token);
        }, cancellationToken);

    /// <inheritdoc cref="ExecuteAsync{T}"/>
    public Task ExecuteAsync(Func<NpgsqlConnection, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        ExecuteAsync(async (connection, token) =>
        {
            await work(connection, token);
            return true;
        }, cancellationToken);

    /// <summary>
    /// True for a fault that may pass by itself: the server restarting, out of connections, a dropped socket, a deadlock, a serialisation failure,
    /// and the pool being exhausted.
    /// </summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow } => true,
        NpgsqlException { IsTransient: true } => true,
        NpgsqlException { InnerException: TimeoutException or System.IO.IOException or System.Net.Sockets.SocketException } => true,
        _ => false,
    };

    /// <inheritdoc cref="ValidateAsync(bool, CancellationToken)"/>
    public Task ValidateAsync(CancellationToken cancellationToken) => ValidateAsync(withBlobs: true, cancellationToken);

    /// <summary>Asks the stores for a sign of life.</summary>
    /// <exception cref="Exception">Whatever the store that does not answer throws.</exception>
    public async Task ValidateAsync(bool withBlobs, CancellationToken cancellationToken)
    {
        await using (var connection = await Database.OpenConnectionAsync(cancellationToken))
        {
            await using var command = new NpgsqlCommand("SELECT 1", connection);
            await command.ExecuteScalarAsync(cancellationToken);
            if (connection.State != ConnectionState.Open)
                throw new InvalidOperationException("The database connection did not stay open.");
        }

        if (withBlobs)
            await RawEvents.ExistsAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Transient database fault, attempt {Attempt}: {Fault}")]
    private static partial void LogRetry(ILogger logger, int attempt, string fault);
}
