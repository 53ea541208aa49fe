using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace PaymentPlatform.Streaming.Postgres;

/// <summary>Registers the group and makes its consumers.</summary>
internal sealed class PostgresMessageConsumerFactory(
    NpgsqlDataSource database, PostgresStreamTopology topology, StreamSignals signals, IOptions<StreamingOptions> options, StreamingTelemetry telemetry, TimeProvider timeProvider, ILoggerFactory loggers)
    : MessageConsumerFactory
{
    /// <inheritdoc/>
    /// <exception cref="StreamUnavailableException">The stream can't be reached.</exception>
    public override async ValueTask<MessageConsumer> CreateAsync(string consumerGroup, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(consumerGroup);
        await topology.EnsureAsync(cancellationToken);
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using var command = new NpgsqlCommand("INSERT INTO stream_groups (consumer_group, stream) VALUES ($1, $2) ON CONFLICT DO NOTHING", connection);
            command.Parameters.Add(new() { Value = consumerGroup });
            command.Parameters.Add(new() { Value = options.Value.Stream });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw PostgresStream.Unavailable(options.Value.Stream, database, e);
        }

        // Older members sort first, and those keep the odd partition when another joins.
        var owner = string.Create(CultureInfo.InvariantCulture, $"{timeProvider.GetUtcNow():yyyyMMdd'T'HHmmss.fffffff}-{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}");
        return new PostgresMessageConsumer(database, signals, consumerGroup, owner, options.Value, telemetry, timeProvider, loggers.CreateLogger<PostgresMessageConsumer>());
    }
}
