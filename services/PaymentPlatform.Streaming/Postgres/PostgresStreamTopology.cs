using Microsoft.Extensions.Options;
using Npgsql;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Knows the stream's log and number of partitions, and makes the stream when it is missing.</summary>
internal sealed class PostgresStreamTopology(NpgsqlDataSource database, IOptions<StreamingOptions> options) : StreamTopology
{
    private readonly PostgresStreamAdmin _admin = new(database);
    private volatile StreamLog? _log;

    public override async ValueTask EnsureAsync(CancellationToken cancellationToken)
    {
        _log = null;
        await GetAsync(cancellationToken);
    }

    /// <exception cref="StreamUnavailableException">The stream can't be reached.</exception>
    public async ValueTask<StreamLog> GetAsync(CancellationToken cancellationToken)
    {
        if (_log is { } known)
            return known;
        try
        {
            var stream = options.Value.Stream;
            var description = await _admin.DescribeAsync(stream, cancellationToken) ?? await _admin.CreateAsync(stream, options.Value.Partitions, cancellationToken);
            return _log = new(description.LogId, description.Partitions.Count);
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException or TimeoutException)
        {
            throw PostgresStream.Unavailable(options.Value.Stream, database, e);
        }
    }

    /// <summary>The log turned out to be gone: look again.</summary>
    public void Forget() => _log = null;

    internal sealed record StreamLog(string LogId, int Partitions);
}
