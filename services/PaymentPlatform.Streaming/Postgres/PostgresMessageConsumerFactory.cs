using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using PaymentPlatform.Streaming.Leasing;

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
            await PartitionLeases.RegisterAsync(database, consumerGroup, options.Value.Stream, cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw PostgresStream.Unavailable(options.Value.Stream, database, e);
        }

        return new LeasedMessageConsumer(
            database, signals, consumerGroup, LeasedMessageConsumer.NewOwner(timeProvider), options.Value, telemetry, timeProvider, loggers.CreateLogger<LeasedMessageConsumer>(),
            target => new PostgresLogReader(database, target));
    }
}
