using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Storage.Database;

namespace PaymentPlatform.Query;

/// <summary>Queries of the database, a few at a time: the process's connections are also ingest's and the consumers', whose leases must not wait behind slow questions.</summary>
public sealed class DatabaseTurns(HybridConnectionManager connections, IOptions<QueryOptions> options) : IDisposable
{
    private readonly SemaphoreSlim _turns = new(options.Value.DatabaseQueries);

    /// <inheritdoc cref="HybridConnectionManager.ExecuteAsync{T}"/>
    /// <exception cref="EngineBusyException">No turn within <see cref="QueryOptions.QueueTimeout"/>.</exception>
    public async Task<T> ExecuteAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> query, CancellationToken cancellationToken)
    {
        if (!await _turns.WaitAsync(options.Value.QueueTimeout, cancellationToken))
            throw new EngineBusyException(options.Value.QueueTimeout);
        try
        {
            return await connections.ExecuteAsync(query, cancellationToken);
        }
        finally
        {
            _turns.Release();
        }
    }

    public void Dispose() => _turns.Dispose();
}
